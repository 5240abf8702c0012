// Package dispatch decides which handler answers which method in the current
// generation of schema and handlers. It also enforces the rules that calls of all
// protocols keep.
package dispatch

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/handlers"
)

// Route is a method and the handlers that answer it. It is immutable. Generations
// share it for as long as neither changes.
type Route struct {
	Method *handlers.Method

	// Registrations answer the method. Each one but the last may decline calls. A
	// method without a handler has none.
	Registrations []*handlers.Registration

	path  string // of its calls
	bound handlers.Handler
}

// Path returns the method as registrations write it: pkg.Service/Method.
func (r *Route) Path() string { return r.path[1:] }

// Own reports whether the server itself answers the method. Such calls need no
// generation.
func (r *Served) Own() bool { return r.own }

// Serve runs one call. The error, if any, has a status. If ctx has ended for a cause
// with a status, that is the status of the error: a front cuts calls so.
func (r *Served) Serve(ctx context.Context, call handlers.Call) error {
	return r.ServeIn(ctx, new(Context), call)
}

// Context is room for the context of a call, which a front may have in a value of its
// own.
type Context struct{ callContext }

// ServeIn is Serve with room for the context of the call, which must be new.
func (r *Served) ServeIn(ctx context.Context, room *Context, call handlers.Call) error {
	room.Context, room.call = ctx, call
	err := r.handler.ServeRPC(&room.callContext, call)
	if err != nil && ctx.Err() != nil {
		if st, ok := status.FromError(context.Cause(ctx)); ok {
			return st.Err()
		}
	}
	return err
}

// unanswered is the handler of methods without a registration.
func unanswered(_ context.Context, call handlers.Call) error {
	return status.Errorf(codes.Unimplemented,
		"method %s is in the schema, but no handler answers it", call.Method().Path())
}
