package dispatch

import (
	"context"
	"io"
	"log/slog"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/handlers"
)

// cardinality enforces one request and one response where the method does not
// stream them. A caller that breaks the rule gets UNIMPLEMENTED, as the gRPC
// specification demands (doc/statuscodes.md). A handler that breaks it ends the call
// with INTERNAL, and the mistake is logged.
func cardinality(m *handlers.Method, log *slog.Logger) handlers.Middleware {
	return func(next handlers.Handler) handlers.Handler {
		if m.IsStreamingClient() && m.IsStreamingServer() {
			return next
		}
		client, server := m.IsStreamingClient(), m.IsStreamingServer()
		return handlers.HandlerFunc(func(ctx context.Context, call handlers.Call) error {
			c := shapedIn(ctx)
			*c = shapedCall{Call: call, manyIn: client, manyOut: server}
			err := next.ServeRPC(ctx, c)
			if err == nil {
				err = c.finish()
			}
			if err != nil {
				c.reply.Free()
			}
			if c.wrong != nil && status.Code(c.wrong) == codes.Internal {
				log.ErrorContext(ctx, "handler broke its method's shape", "method", m.Path(), "error", c.wrong)
			}
			return err
		})
	}
}

// shapedCall is a Call that enforces the shape of its method.
type shapedCall struct {
	handlers.Call
	manyIn, manyOut bool

	received bool
	replied  bool
	reply    mem.BufferSlice // the one response, held back until the handler has succeeded
	wrong    error           // the last violation
}

func (c *shapedCall) Recv() (mem.BufferSlice, error) {
	if c.manyIn {
		return c.Call.Recv()
	}
	if c.received {
		return nil, io.EOF
	}
	c.received = true
	return c.recvOnly()
}

// recvOnly receives the only request.
func (c *shapedCall) recvOnly() (mem.BufferSlice, error) {
	data, err := c.Call.Recv()
	if err == io.EOF {
		return nil, c.violation(codes.Unimplemented, "%s takes one request message, but the caller sent none")
	}
	if err != nil {
		return nil, err
	}
	extra, err := c.Call.Recv()
	if err == io.EOF {
		return data, nil
	}
	data.Free()
	if err != nil {
		return nil, err
	}
	extra.Free()
	return nil, c.violation(codes.Unimplemented, "%s takes one request message, but the caller sent several")
}

func (c *shapedCall) Send(data mem.BufferSlice) error {
	if c.manyOut {
		return c.Call.Send(data)
	}
	if c.replied {
		data.Free()
		return c.violation(codes.Internal, "the handler of %s sent more than one response")
	}
	c.replied, c.reply = true, data
	return nil
}

// finish ends a call whose handler has succeeded: it checks the shape and sends the
// response.
func (c *shapedCall) finish() error {
	if !c.manyIn && !c.received { // the handler did not receive it; check it all the same
		data, err := c.Recv()
		if err != nil {
			return err
		}
		data.Free()
	}
	if c.wrong != nil {
		return c.wrong
	}
	if c.manyOut {
		return nil
	}
	if !c.replied {
		return c.violation(codes.Internal, "the handler of %s sent no response")
	}
	reply := c.reply
	c.reply = nil
	return c.Call.Send(reply)
}

func (c *shapedCall) violation(code codes.Code, format string) error {
	c.wrong = status.Errorf(code, format, c.Method().Path())
	return c.wrong
}
