package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
)

// wrap puts middleware around a bound handler. If that fails for this handler, its
// calls fail: they must not pass without the middleware, which may authorize them.
func (b *Builder) wrap(h handlers.Handler, middleware []handlers.Middleware) handlers.Handler {
	if len(middleware) == 0 {
		return h
	}
	wrapped, err := tryWrap(h, middleware)
	if err != nil {
		b.Log.Error("calls of a method fail: its middleware cannot be made", "error", err)
		wrapped = handlers.HandlerFunc(failing)
	}
	return handlers.Guard(b.Log)(wrapped)
}

// usable returns the middleware if it can be put around a handler. Otherwise it
// returns that of prev, or at first middleware with which all calls fail.
func (b *Builder) usable(middleware []handlers.Middleware, prev *Generation) ([]handlers.Middleware, *diag.Diagnostic) {
	_, err := tryWrap(handlers.HandlerFunc(failing), middleware)
	if err == nil {
		return middleware, nil
	}
	problem := diag.New(diag.Error, diag.Position{}, "%v", err)
	if prev.Snapshot != nil {
		return prev.middleware, problem
	}
	return []handlers.Middleware{func(handlers.Handler) handlers.Handler { return handlers.HandlerFunc(failing) }}, problem
}

// failing is the handler of calls whose middleware is missing.
func failing(context.Context, handlers.Call) error {
	return status.Error(codes.Internal, "internal error")
}

// tryWrap puts middleware around a handler.
func tryWrap(h handlers.Handler, middleware []handlers.Middleware) (_ handlers.Handler, err error) {
	for i, wrap := range slices.Backward(middleware) {
		if wrap == nil {
			return nil, fmt.Errorf("middleware %d is nil", i)
		}
		if h, err = wrapOnce(h, wrap); err != nil {
			return nil, fmt.Errorf("middleware %d %w", i, err)
		}
	}
	return h, nil
}

func wrapOnce(h handlers.Handler, wrap handlers.Middleware) (_ handlers.Handler, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panicked: %v", v)
		}
	}()
	if h = wrap(h); h == nil {
		return nil, errors.New("returned a nil handler")
	}
	return h, nil
}
