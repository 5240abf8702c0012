package dispatch

import (
	"context"
	"errors"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/handlers"
)

// firstWilling serves each call with the first handler that does not decline it.
func firstWilling(list []handlers.Handler) handlers.Handler {
	if len(list) == 1 {
		return list[0]
	}
	return handlers.HandlerFunc(func(ctx context.Context, call handlers.Call) (err error) {
		kept := &keptCall{Call: call}
		defer kept.free()
		ctx = kept.context(ctx)
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

// keptCall is a Call whose first message can be received again. A handler may
// leave goroutines behind that still receive or send.
type keptCall struct {
	handlers.Call

	mu       sync.Mutex
	first    mem.BufferSlice
	received int
	replay   bool
	answered bool // sent or set something
	over     bool // the call has ended
}

func (c *keptCall) Recv() (mem.BufferSlice, error) {
	if data, ok := c.take(); ok {
		return data, nil
	}
	data, err := c.Call.Recv()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.received++; c.received == 1 && !c.over {
		data.Ref()
		c.first = data
	}
	return data, nil
}

// take returns the first message if the next handler receives it again.
func (c *keptCall) take() (data mem.BufferSlice, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.replay {
		return nil, false
	}
	c.replay = false
	c.first.Ref()
	return c.first, true
}

func (c *keptCall) Send(data mem.BufferSlice) error {
	c.answer()
	return c.Call.Send(data)
}

func (c *keptCall) SendHeader(md metadata.MD) error {
	c.answer()
	return c.Call.SendHeader(md)
}

func (c *keptCall) SetHeader(md metadata.MD) error {
	if len(md) > 0 {
		c.answer()
	}
	return c.Call.SetHeader(md)
}

func (c *keptCall) SetTrailer(md metadata.MD) {
	if len(md) > 0 {
		c.answer()
	}
	c.Call.SetTrailer(md)
}

// context returns a context in which handlers.CallFrom and grpc's functions use c, so
// that an answer by one of them is noticed too.
func (c *keptCall) context(ctx context.Context) context.Context {
	return grpc.NewContextWithServerTransportStream(handlers.NewContext(ctx, c), transportStream{c})
}

func (c *keptCall) answer() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answered = true
}

// again prepares the call for the next handler. It fails if the last one must not
// decline any more.
func (c *keptCall) again() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.answered:
		return status.Error(codes.Internal, "a handler declined the call after it had answered")
	case c.received > 1:
		return status.Error(codes.Internal, "a handler declined the call after it had received more than one message")
	}
	c.replay = c.received == 1
	return nil
}

func (c *keptCall) free() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over, c.replay = true, false
	c.first.Free()
}
