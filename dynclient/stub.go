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

// Dynamic is a message of any type, read and built by reflection;
// [Method.NewRequest] returns one. Responses are read-only.
type Dynamic = codec.Dynamic

// Unary returns a stub for a unary method, checked against the schema: the
// error reports an unknown method, a wrong shape, and every field that does not
// fit. A stub is safe for concurrent use.
func Unary[In, Out any](c *Client, method string) (func(ctx context.Context, in *In, opts ...grpc.CallOption) (*Out, error), error) {
	s, err := newStub[In, Out](c, method, false, false)
	if err != nil {
		return nil, err
	}
	return s.unary, nil
}

// ServerStream returns a stub for a server-streaming method, checked like that
// of [Unary]. Each range over the sequence makes a call. Each pair holds a
// response or an [*Error]; an error ends the sequence. Breaking out of the loop
// cancels the call.
func ServerStream[In, Out any](c *Client, method string) (func(ctx context.Context, in *In, opts ...grpc.CallOption) iter.Seq2[*Out, error], error) {
	s, err := newStub[In, Out](c, method, false, true)
	if err != nil {
		return nil, err
	}
	return s.serverStream, nil
}

// ClientStream returns a stub for a client-streaming method, checked like that
// of [Unary]. The stub ranges over the requests in the caller's goroutine,
// until they or the call end. An error among them cancels the call and is
// returned unchanged. A sequence that waits for something should stop waiting
// when ctx ends.
func ClientStream[In, Out any](c *Client, method string) (func(ctx context.Context, in iter.Seq2[*In, error], opts ...grpc.CallOption) (*Out, error), error) {
	s, err := newStub[In, Out](c, method, true, false)
	if err != nil {
		return nil, err
	}
	return s.clientStream, nil
}

// Bidi returns a stub for a bidirectional-streaming method, checked like that
// of [Unary]. Each range over the responses makes a call, as with
// [ServerStream]. The stub ranges over the requests in their own goroutine,
// until they or the call end. An error among them cancels the call and is the
// last pair of the responses; a panic continues in the goroutine that ranges
// over the responses. A sequence of requests that waits for something should
// stop waiting when ctx ends, so that its goroutine can end.
func Bidi[In, Out any](c *Client, method string) (func(ctx context.Context, in iter.Seq2[*In, error], opts ...grpc.CallOption) iter.Seq2[*Out, error], error) {
	s, err := newStub[In, Out](c, method, true, true)
	if err != nil {
		return nil, err
	}
	return s.bidi, nil
}

// stub calls a method with Go types for its messages.
type stub[In, Out any] struct {
	client *Client
	path   string // with a leading slash
	desc   grpc.StreamDesc
	bound  atomic.Pointer[binding[In, Out]]

	mu    sync.Mutex // held while rebinding
	again time.Time  // earliest time of the next attempt after one that failed
}

// binding holds a method of one generation of the schema, and the codecs of its
// messages.
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

// binding returns the current binding. It rebinds after a refresh of the
// schema.
func (s *stub[In, Out]) binding(ctx context.Context) (*binding[In, Out], error) {
	b := s.bound.Load()
	if b.generation == s.client.schema.generation.Load() {
		return b, nil
	}
	return s.rebind(ctx)
}

// Limits on rebinding, which delays a call.
const (
	rebindTimeout = 2 * time.Second // of one lookup
	rebindPause   = 5 * time.Second // after a lookup that failed
)

// rebind looks up the method after a refresh of the schema. One call does so.
// Other calls keep the old binding. If the lookup fails, all calls keep it, so
// that the server decides.
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
	lookupCtx, cancel := context.WithTimeout(ctx, rebindTimeout)
	defer cancel()
	m, err := s.client.lookup(lookupCtx, s.path)
	var gone *LookupError
	if errors.As(err, &gone) {
		b := *old
		b.generation = generation
		s.bound.Store(&b)
		return &b, nil
	}
	if err != nil {
		if ctx.Err() == nil {
			s.again = time.Now().Add(rebindPause)
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
		return nil, s.client.unencodable(b.method, errors.New("the message is nil"))
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
