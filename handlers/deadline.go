package handlers

import (
	"context"
	"time"

	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
)

// DefaultDeadline gives calls without a deadline, including streams, a deadline
// of d after their start. It ends the handler's context, and unblocks handlers
// that wait for a caller that neither sends nor receives. Zero or less means no
// deadline. Watches of grpc.health.v1.Health are exempt: clients treat their
// end as a failure.
func DefaultDeadline(d time.Duration) Middleware {
	return func(next Handler) Handler {
		if d <= 0 {
			return next
		}
		return HandlerFunc(func(ctx context.Context, call Call) error {
			if _, has := ctx.Deadline(); has || call.Method().FullName() == "grpc.health.v1.Health.Watch" {
				return next.ServeRPC(ctx, call)
			}
			ctx, cancel := context.WithTimeout(ctx, d)
			defer cancel()
			return next.ServeRPC(ctx, &deadlineCall{Call: call, ctx: ctx})
		})
	}
}

// deadlineCall is a Call whose Recv and Send end with its context. The wrapped
// call has its own context, and ends with the handler.
type deadlineCall struct {
	Call
	ctx context.Context //nolint:containedctx // the context of the call
}

type received struct {
	data mem.BufferSlice
	err  error
}

func (c *deadlineCall) Recv() (mem.BufferSlice, error) {
	if err := c.ended(); err != nil {
		return nil, err
	}
	done := make(chan received, 1)
	go func() { // ends with Recv, which ends with the call
		data, err := c.Call.Recv()
		done <- received{data, err}
	}()
	select {
	case r := <-done:
		return r.data, r.err
	case <-c.ctx.Done():
		go func() { (<-done).data.Free() }()
		return nil, c.ended()
	}
}

func (c *deadlineCall) Send(data mem.BufferSlice) error {
	if err := c.ended(); err != nil {
		data.Free()
		return err
	}
	done := make(chan error, 1)
	go func() { done <- c.Call.Send(data) }() // ends with Send, which ends with the call
	select {
	case err := <-done:
		return err
	case <-c.ctx.Done():
		return c.ended()
	}
}

// ended returns the status of a call whose deadline has passed. No message may
// be received or sent after it, because an earlier Recv or Send may still be
// blocked.
func (c *deadlineCall) ended() error {
	if err := c.ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	return nil
}
