package dynclient

import (
	"context"
	"io"
	"iter"
	"sync"

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
		sending := t.startSender(in)
		defer sending.over()
		t.recvAll(func(out *Out, err error) bool {
			if err != nil {
				err = sending.cause(err)
			}
			return yield(out, err)
		})
	}
}

// sender sends the requests of a bidirectional call in its own goroutine.
type sender struct {
	mu       sync.Mutex
	err      error // of the sequence of requests
	panicked any   // panic value of the sequence of requests
	ended    bool  // the cause is no longer needed
}

// startSender starts the sender. Its goroutine ends with the requests, or at
// the first request after the end of the call.
func (t *typedStream[In, Out]) startSender(in iter.Seq2[*In, error]) *sender {
	s := new(sender)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				s.fail(nil, p)
				t.cancel()
			}
		}()
		if err := t.sendAll(in); err != nil && err != io.EOF {
			s.fail(err, nil)
			t.cancel()
		}
	}()
	return s
}

func (s *sender) fail(err error, panicked any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended && panicked != nil {
		panic(panicked) // no other goroutine waits for it
	}
	s.err, s.panicked = err, panicked
}

// cause returns the error of the requests if there is one, and err otherwise.
// If the requests panicked, cause panics with the same value.
func (s *sender) cause(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.panicked; p != nil {
		s.panicked = nil
		panic(p)
	}
	if s.err != nil {
		return s.err
	}
	return err
}

// over records that the call has ended.
func (s *sender) over() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}

// open starts a streaming call.
func (s *stub[In, Out]) open(ctx context.Context, opts []grpc.CallOption) (*typedStream[In, Out], error) {
	ctx, release, opts := prepare(ctx, opts)
	b, err := s.binding(ctx)
	if err != nil {
		release()
		return nil, err
	}
	raw, err := s.client.open(ctx, release, b.method, &s.desc, opts)
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

// send sends a request. io.EOF means that the call has ended; recv returns the
// error.
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
