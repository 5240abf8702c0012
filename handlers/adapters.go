package handlers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/internal/codec"
)

// Option configures how an adapter reads its requests.
type Option func(*codec.Options)

// AliasInput lets the strings and bytes of requests share the request's memory
// instead of being copied one by one. It is safe, and faster for small messages
// and for many strings, but a single string that the handler keeps also keeps
// the whole request in memory.
func AliasInput() Option { return func(o *codec.Options) { o.Alias = true } }

// Unary makes an [Implementation] of a function that answers one request with
// one response. fn may keep in. A nil response without an error ends the call with
// INTERNAL.
func Unary[In, Out any](fn func(ctx context.Context, in *In) (*Out, error), opts ...Option) Implementation {
	return adapter[In, Out]{opts: opts, serve: func(ctx context.Context, c typedCall[In, Out]) error {
		in, err := c.recv()
		if err != nil {
			return err
		}
		out, err := fn(ctx, in)
		if err != nil {
			return err
		}
		return c.send(out)
	}}
}

// ServerStream makes an [Implementation] of a function that answers one request
// with a stream of responses: the pairs of the sequence it returns, until the
// sequence ends or has an error, which ends the call. When the caller
// disconnects, yield returns false and ctx is done.
func ServerStream[In, Out any](fn func(ctx context.Context, in *In) iter.Seq2[*Out, error], opts ...Option) Implementation {
	return adapter[In, Out]{opts: opts, shape: codec.Shape{StreamsResponses: true}, serve: func(ctx context.Context, c typedCall[In, Out]) error {
		in, err := c.recv()
		if err != nil {
			return err
		}
		return c.sendAll(fn(ctx, in))
	}}
}

// ClientStream makes an [Implementation] of a function that answers a stream of
// requests with one response. The sequence ends when the caller half-closes the
// stream; an error is its last pair, and fn should return it. fn may answer
// without reading to the end.
func ClientStream[In, Out any](fn func(ctx context.Context, in iter.Seq2[*In, error]) (*Out, error), opts ...Option) Implementation {
	return adapter[In, Out]{opts: opts, shape: codec.Shape{StreamsRequests: true}, serve: func(ctx context.Context, c typedCall[In, Out]) error {
		out, err := fn(ctx, c.recvAll())
		if err != nil {
			return err
		}
		return c.send(out)
	}}
}

// Bidi makes an [Implementation] of a function that answers a stream of
// requests with a stream of responses, in any order. The adapter ranges over
// fn's result at once. So fn may send before it receives, receive and send in
// turn by ranging over in inside its own sequence, send after the caller
// half-closes the stream, or receive in another goroutine while it sends.
// Receiving fails when the call is over, so that such a goroutine ends. A
// second range over in continues where the first one stopped.
func Bidi[In, Out any](fn func(ctx context.Context, in iter.Seq2[*In, error]) iter.Seq2[*Out, error], opts ...Option) Implementation {
	return adapter[In, Out]{opts: opts, shape: codec.Shape{StreamsRequests: true, StreamsResponses: true}, serve: func(ctx context.Context, c typedCall[In, Out]) error {
		return c.sendAll(fn(ctx, c.recvAll()))
	}}
}

// adapter is an Implementation whose messages are Go types.
type adapter[In, Out any] struct {
	opts  []Option
	shape codec.Shape
	serve func(context.Context, typedCall[In, Out]) error
}

// Bind checks the method's shape and, if it fits, both message types.
func (a adapter[In, Out]) Bind(m *Method) (Handler, error) {
	if shape := codec.ShapeOf(m); shape != a.shape {
		return nil, fmt.Errorf("the method is %s, but its handler is %s: use handlers.%s", shape, a.shape, shape.Func())
	}
	var opts codec.Options
	for _, o := range a.opts {
		o(&opts)
	}
	in, out, err := codec.BindMethod[In, Out](m, m.Types, opts)
	if err != nil {
		return nil, err
	}
	return HandlerFunc(func(ctx context.Context, call Call) error {
		return a.serve(ctx, typedCall[In, Out]{call: call, in: in, out: out})
	}), nil
}

// typedCall is a Call whose messages are Go values.
type typedCall[In, Out any] struct {
	call Call
	in   codec.Codec[In]
	out  codec.Codec[Out]
}

func (c typedCall[In, Out]) recv() (*In, error) {
	data, err := c.call.Recv()
	if err != nil {
		return nil, err
	}
	defer data.Free()
	in, err := c.in.Unmarshal(data)
	if err != nil {
		return nil, decodeError(err)
	}
	return in, nil
}

// decodeError returns the status of a request that cannot be decoded. A missing
// required field and a value out of range are INVALID_ARGUMENT. Malformed bytes
// are INTERNAL, as gRPC's documentation of status codes requires.
func decodeError(err error) error {
	if errors.Is(err, codec.ErrRequired) || errors.Is(err, codec.ErrRange) {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	return status.Errorf(codes.Internal, "cannot decode the request: %v", err)
}

func (c typedCall[In, Out]) recvAll() iter.Seq2[*In, error] {
	return func(yield func(*In, error) bool) {
		for {
			in, err := c.recv()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(in, nil) {
				return
			}
		}
	}
}

func (c typedCall[In, Out]) send(out *Out) error {
	if out == nil {
		return errors.New("the handler returned neither a response nor an error")
	}
	buf, err := c.out.Marshal(out)
	if err != nil {
		return &responseError{err}
	}
	return c.call.Send(mem.BufferSlice{buf})
}

func (c typedCall[In, Out]) sendAll(out iter.Seq2[*Out, error]) error {
	if out == nil {
		return errors.New("the handler returned a nil sequence")
	}
	for v, err := range out {
		if err != nil {
			return err
		}
		if err := c.send(v); err != nil {
			return err
		}
	}
	return nil
}
