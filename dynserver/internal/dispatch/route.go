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

// Route is a method together with what answers it. It is immutable, and the same
// in all generations in which neither has changed.
type Route struct {
	Method *handlers.Method

	// Registrations are what answers the method: each one but the last may
	// decline calls. There is none when nothing answers it.
	Registrations []*handlers.Registration

	bound handlers.Handler
}

// Serve runs one call. The error, if any, has a status.
func (r *Served) Serve(ctx context.Context, call handlers.Call) error {
	return r.handler.ServeRPC(&callContext{Context: ctx, call: call}, call)
}

// unanswered is the handler of methods that have none.
func unanswered(_ context.Context, call handlers.Call) error {
	return status.Errorf(codes.Unimplemented,
		"method %s is in the schema, but no handler answers it", call.Method().Path())
}
