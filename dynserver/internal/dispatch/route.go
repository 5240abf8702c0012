// Package dispatch is the heart of the server: which handler answers which
// method in the current generation of schema and handlers, and the rules that
// every call keeps, whatever protocol it came by.
package dispatch

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/handlers"
)

// Route is a method together with what answers it. It is immutable.
type Route struct {
	Method *handlers.Method

	// Registration is what answers the method, nil when nothing does.
	Registration *handlers.Registration

	handler handlers.Handler
}

// Serve runs one call. The error, if any, has a status.
func (r *Route) Serve(ctx context.Context, call handlers.Call) error {
	return r.handler.ServeRPC(&callContext{Context: ctx, call: call}, call)
}

// unanswered is the handler of methods that have none.
func unanswered(_ context.Context, call handlers.Call) error {
	return status.Errorf(codes.Unimplemented,
		"method %s is in the schema, but no handler answers it", call.Method().Path())
}
