package dynclient

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"

	"github.com/dyngate/dyngate/internal/codec"
)

// Dynamic is a message of whatever type the method declares, read and built by
// reflection; [Method.NewRequest] makes one. A response is read-only.
type Dynamic = codec.Dynamic

// Unary returns a stub for a unary method, checked against the schema: the error
// says if there is no such method, if it streams, and all that does not fit
// between the types and its messages. A stub is safe for concurrent use.
func Unary[In, Out any](c *Client, method string) (func(ctx context.Context, in *In, opts ...grpc.CallOption) (*Out, error), error) {
	s, err := newStub[In, Out](c, method, false, false)
	if err != nil {
		return nil, err
	}
	return s.unary, nil
}

// ServerStream returns a stub for a server-streaming method, checked as [Unary]
// does. Each time that the sequence is ranged over is a call of its own. The
// responses come as pairs without an error; a pair with an error, which is an
// [*Error] without a response, is the last. Breaking off cancels the call.
func ServerStream[In, Out any](c *Client, method string) (func(ctx context.Context, in *In, opts ...grpc.CallOption) iter.Seq2[*Out, error], error) {
	s, err := newStub[In, Out](c, method, false, true)
	if err != nil {
		return nil, err
	}
	return s.serverStream, nil
}

// ClientStream returns a stub for a client-streaming method, checked as [Unary]
// does. The requests are ranged over in the caller's goroutine, until they or
// the call end; an error among them cancels the call and is returned as it is. A
// sequence that waits for something should stop waiting when ctx ends.
func ClientStream[In, Out any](c *Client, method string) (func(ctx context.Context, in iter.Seq2[*In, error], opts ...grpc.CallOption) (*Out, error), error) {
	s, err := newStub[In, Out](c, method, true, false)
	if err != nil {
		return nil, err
	}
	return s.clientStream, nil
}

// Bidi returns a stub for a bidirectional-streaming method, checked as [Unary]
// does. Ranging over the responses begins the call, as with [ServerStream]. The
// requests are ranged over in a goroutine of their own, until they or the call
// end; an error among them cancels the call and comes as the last pair of the
// responses, a panic goes on in the goroutine that ranges over the responses. A
// sequence of requests that waits for something should stop waiting when ctx
// ends: its goroutine cannot end before it does.
func Bidi[In, Out any](c *Client, method string) (func(ctx context.Context, in iter.Seq2[*In, error], opts ...grpc.CallOption) iter.Seq2[*Out, error], error) {
	s, err := newStub[In, Out](c, method, true, true)
	if err != nil {
		return nil, err
	}
	return s.bidi, nil
}

// stub calls one method with messages of two Go types.
type stub[In, Out any] struct {
	client *Client
	path   string // with a leading slash
	desc   grpc.StreamDesc
	bound  atomic.Pointer[binding[In, Out]]

	mu    sync.Mutex // held while binding anew
	again time.Time  // when that may be tried again
}

// binding is a method of one generation of the schema, and how its messages are
// read and written.
type binding[In, Out any] struct {
	generation uint64
	method     *Method
	in         codec.Codec[In]
	out        codec.Codec[Out]
}

func newStub[In, Out any](c *Client, path string, streamsIn, streamsOut bool) (*stub[In, Out], error) {
	s := &stub[In, Out]{client: c, desc: grpc.StreamDesc{ClientStreams: streamsIn, ServerStreams: streamsOut}}
	generation := c.schema.generation.Load()
	m, err := c.lookup(c.ctx, path)
	if err != nil {
		return nil, err
	}
	b, err := s.bind(m, generation)
	if err != nil {
		return nil, err
	}
	s.path = "/" + m.Path()
	s.bound.Store(b)
	return s, nil
}

func (s *stub[In, Out]) bind(m *Method, generation uint64) (*binding[In, Out], error) {
	want := codec.Shape{StreamsRequests: s.desc.ClientStreams, StreamsResponses: s.desc.ServerStreams}
	if shape := codec.ShapeOf(m); shape != want {
		return nil, fmt.Errorf("%s: the method is %s: use dynclient.%s", m.Path(), shape, shape.Func())
	}
	in, out, err := codec.BindMethod[In, Out](m, m.Types, codec.Options{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Path(), err)
	}
	return &binding[In, Out]{generation: generation, method: m, in: in, out: out}, nil
}

// binding returns how to call the method now.
func (s *stub[In, Out]) binding(ctx context.Context) (*binding[In, Out], error) {
	b := s.bound.Load()
	if b.generation == s.client.schema.generation.Load() {
		return b, nil
	}
	return s.rebind(ctx)
}

// The bounds of looking a method up again, which delays a call that could be made
// without.
const (
	rebinding = 2 * time.Second // how long it may take
	pause     = 5 * time.Second // between two that failed
)

// rebind looks the method up after a refresh of the schema. One call does so;
// others go on with what there is, as do all while the method cannot be found:
// the server has the last word.
func (s *stub[In, Out]) rebind(ctx context.Context) (*binding[In, Out], error) {
	old := s.bound.Load()
	if !s.mu.TryLock() {
		return old, nil
	}
	defer s.mu.Unlock()
	generation := s.client.schema.generation.Load()
	if old = s.bound.Load(); old.generation == generation || time.Now().Before(s.again) {
		return old, nil
	}
	looking, cancel := context.WithTimeout(ctx, rebinding)
	defer cancel()
	m, err := s.client.lookup(looking, s.path)
	var gone *LookupError
	if errors.As(err, &gone) {
		b := *old
		b.generation = generation
		s.bound.Store(&b)
		return &b, nil
	}
	if err != nil {
		if ctx.Err() == nil {
			s.again = time.Now().Add(pause)
		}
		return old, nil
	}
	b, err := s.bind(m, generation)
	if err != nil {
		return nil, s.client.unencodable(m, fmt.Errorf("the schema has changed: %w", err))
	}
	s.bound.Store(b)
	return b, nil
}

// encode writes a request.
func (s *stub[In, Out]) encode(b *binding[In, Out], in *In) (mem.Buffer, error) {
	if in == nil {
		return nil, s.client.unencodable(b.method, errors.New("it is nil"))
	}
	buf, err := b.in.Marshal(in)
	if err != nil {
		return nil, s.client.unencodable(b.method, err)
	}
	return buf, nil
}

// decode reads a response, and frees it.
func (s *stub[In, Out]) decode(b *binding[In, Out], data mem.BufferSlice) (*Out, error) {
	defer data.Free()
	out, err := b.out.Unmarshal(data)
	if err != nil {
		return nil, s.client.undecodable(b.method, err)
	}
	return out, nil
}

func (s *stub[In, Out]) unary(ctx context.Context, in *In, opts ...grpc.CallOption) (*Out, error) {
	ctx, cancel, opts := prepare(ctx, opts)
	defer cancel()
	b, err := s.binding(ctx)
	if err != nil {
		return nil, err
	}
	request, err := s.encode(b, in)
	if err != nil {
		return nil, err
	}
	reply, err := s.client.invoke(ctx, b.method, s.path, request, opts)
	if err != nil {
		return nil, err
	}
	return s.decode(b, reply)
}
