package dynclient

import (
	"context"
	"io"
	"iter"
	"sync/atomic"

	"google.golang.org/grpc"
)

func (s *stub[In, Out]) serverStream(ctx context.Context, in *In, opts ...grpc.CallOption) iter.Seq2[*Out, error] {
	return func(yield func(*Out, error) bool) {
		t, err := s.open(ctx, opts)
		if err != nil {
			yield(nil, err)
			return
		}
		defer t.end()
		if err := t.send(in); err != nil && err != io.EOF {
			yield(nil, err)
			return
		}
		t.closeSend()
		t.recvAll(yield)
	}
}

func (s *stub[In, Out]) clientStream(ctx context.Context, in iter.Seq2[*In, error], opts ...grpc.CallOption) (*Out, error) {
	t, err := s.open(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer t.end()
	if err := t.sendAll(in); err != nil && err != io.EOF {
		return nil, err
	}
	return t.recv()
}

func (s *stub[In, Out]) bidi(ctx context.Context, in iter.Seq2[*In, error], opts ...grpc.CallOption) iter.Seq2[*Out, error] {
	return func(yield func(*Out, error) bool) {
		t, err := s.open(ctx, opts)
		if err != nil {
			yield(nil, err)
			return
		}
		defer t.end()
		var failed atomic.Pointer[error] // what was wrong with the requests
		go func() {                      // ends when the requests do, or when it wants to send after the call has ended
			if err := t.sendAll(in); err != nil && err != io.EOF {
				failed.Store(&err)
				t.cancel()
			}
		}()
		t.recvAll(func(out *Out, err error) bool {
			if cause := failed.Load(); err != nil && cause != nil {
				err = *cause
			}
			return yield(out, err)
		})
	}
}

// open begins a streaming call.
func (s *stub[In, Out]) open(ctx context.Context, opts []grpc.CallOption) (*typedStream[In, Out], error) {
	b, err := s.binding(ctx)
	if err != nil {
		return nil, err
	}
	raw, err := s.client.open(ctx, b.method, &s.desc, opts)
	if err != nil {
		return nil, err
	}
	return &typedStream[In, Out]{wireStream: raw, stub: s, bound: b}, nil
}

// typedStream is a streaming call whose messages are Go values.
type typedStream[In, Out any] struct {
	*wireStream
	stub  *stub[In, Out]
	bound *binding[In, Out]
}

// send sends a request. io.EOF says that the call has ended: recv tells how.
func (t *typedStream[In, Out]) send(in *In) error {
	buf, err := t.stub.encode(t.bound, in)
	if err != nil {
		return err
	}
	return t.sendBytes(buf)
}

// sendAll sends requests until they or the call end.
func (t *typedStream[In, Out]) sendAll(in iter.Seq2[*In, error]) error {
	for v, err := range in {
		if err != nil {
			return err
		}
		if err := t.send(v); err != nil {
			return err
		}
	}
	t.closeSend()
	return nil
}

func (t *typedStream[In, Out]) recv() (*Out, error) {
	data, err := t.recvBytes()
	if err != nil {
		return nil, err
	}
	return t.stub.decode(t.bound, data)
}

// recvAll yields the responses.
func (t *typedStream[In, Out]) recvAll(yield func(*Out, error) bool) {
	for {
		out, err := t.recv()
		if err == io.EOF {
			return
		}
		if !yield(out, err) || err != nil {
			return
		}
	}
}
