package dispatch

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/handlers"
)

// firstWilling serves calls with the first of several handlers that does not
// decline them.
func firstWilling(list []handlers.Handler) handlers.Handler {
	if len(list) == 1 {
		return list[0]
	}
	return handlers.HandlerFunc(func(ctx context.Context, call handlers.Call) (err error) {
		kept := &keptCall{Call: call}
		defer kept.free()
		for _, h := range list {
			if err = h.ServeRPC(ctx, kept); !errors.Is(err, handlers.ErrDeclined) {
				return err
			}
			if err := kept.again(); err != nil {
				return err
			}
		}
		return err
	})
}

// keptCall is a Call whose first message can be received again.
type keptCall struct {
	handlers.Call
	first    mem.BufferSlice
	received int
	replay   bool
	answered bool
}

func (c *keptCall) Recv() (mem.BufferSlice, error) {
	if c.replay {
		c.replay = false
		c.first.Ref()
		return c.first, nil
	}
	data, err := c.Call.Recv()
	if err != nil {
		return nil, err
	}
	if c.received++; c.received == 1 {
		data.Ref()
		c.first = data
	}
	return data, nil
}

func (c *keptCall) Send(data mem.BufferSlice) error {
	c.answered = true
	return c.Call.Send(data)
}

func (c *keptCall) SendHeader(md metadata.MD) error {
	c.answered = true
	return c.Call.SendHeader(md)
}

// again prepares the call for the next handler. It fails if the last one went too
// far.
func (c *keptCall) again() error {
	switch {
	case c.answered:
		return status.Error(codes.Internal, "a handler declined the call after it had answered")
	case c.received > 1:
		return status.Error(codes.Internal, "a handler declined the call after it had received more than one message")
	}
	c.replay = c.received == 1
	return nil
}

func (c *keptCall) free() { c.first.Free() }
