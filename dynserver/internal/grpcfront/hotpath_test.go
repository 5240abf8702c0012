//go:build !race

// The race detector makes sync.Pool forget at random, so that allocations cannot
// be counted.

package grpcfront

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/internal/schematest"
)

const hotProto = `syntax = "proto3"; package hot; message Msg { string text = 1; }
service Svc { rpc Raw(Msg) returns (Msg); rpc Struct(Msg) returns (Msg); rpc Alias(Msg) returns (Msg); rpc Dynamic(Msg) returns (Msg); }`

type msg struct{ Text string }

func echo(_ context.Context, in *msg) (*msg, error) { return in, nil }

func echoDynamic(_ context.Context, in *handlers.Dynamic) (*handlers.Dynamic, error) { return in, nil }

// echoRaw allocates nothing, so what its calls allocate is the front's and the
// dispatcher's alone.
type echoRaw struct{}

func (e echoRaw) Bind(*handlers.Method) (handlers.Handler, error) { return e, nil }

func (echoRaw) ServeRPC(_ context.Context, call handlers.Call) error {
	data, err := call.Recv()
	if err != nil {
		return err
	}
	return call.Send(data)
}

// newHotFront serves hotProto.
func newHotFront(tb testing.TB) *Server {
	tb.Helper()
	reg := handlers.NewRegistry()
	reg.Handle("hot.Svc/Raw", echoRaw{})
	reg.Handle("hot.Svc/Struct", handlers.Unary(echo))
	reg.Handle("hot.Svc/Alias", handlers.Unary(echo, handlers.AliasInput()))
	reg.Handle("hot.Svc/Dynamic", handlers.Unary(echoDynamic))
	snap := schematest.Compile(map[string]string{"hot.proto": hotProto})
	answers, _ := reg.Load(tb.Context())
	b := dispatch.Builder{Log: slog.New(slog.DiscardHandler)}
	g, diags := b.Build(nil, dispatch.Input{Snapshot: snap, Leases: []*dispatch.Lease{dispatch.NewLease(answers.Registrations(), answers.Release)}})
	if len(diags) > 0 {
		tb.Fatal(diags)
	}
	var current dispatch.Current
	current.Swap(g)
	return &Server{current: &current}
}

// hotStream is a grpc.ServerStream as grpc's own behaves for one unary call,
// which can be called again. It allocates nothing.
type hotStream struct {
	grpc.ServerStream
	ctx      context.Context
	codec    codec
	request  mem.BufferSlice
	received bool
	sent     int
}

func newHotStream(method string) *hotStream {
	s := &hotStream{codec: codec{new(packed)}}
	message := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "Ada Lovelace")
	s.request = mem.BufferSlice{mem.SliceBuffer(message)}
	ctx := metadata.NewIncomingContext(context.Background(), metadata.Pairs(
		":authority", "localhost", "content-type", "application/grpc", "user-agent", "grpc-go/1.85.0"))
	s.ctx = grpc.NewContextWithServerTransportStream(ctx, hotTransport{method: method})
	return s
}

func (s *hotStream) Context() context.Context { return s.ctx }

func (s *hotStream) RecvMsg(m any) error {
	if s.received {
		return io.EOF
	}
	s.received = true
	return s.codec.Unmarshal(s.request, m)
}

func (s *hotStream) SendMsg(m any) error {
	data, err := s.codec.Marshal(m)
	s.sent += data.Len()
	data.Free()
	return err
}

// hotTransport tells what grpc's transport stream does.
type hotTransport struct {
	grpc.ServerTransportStream
	method string
}

func (t hotTransport) Method() string         { return t.method }
func (t hotTransport) ContentSubtype() string { return "" }

// call makes one call and reports whether it has been answered.
func (s *hotStream) call(tb testing.TB, f *Server) {
	s.received, s.sent = false, 0
	if err := f.serve(nil, s); err != nil {
		tb.Fatal(err)
	}
	if s.sent != s.request.Len() {
		tb.Fatalf("a reply of %d bytes, want %d", s.sent, s.request.Len())
	}
}

var hotMethods = []struct {
	name   string
	allocs float64
}{
	{"Raw", 2},
	{"Struct", 6},
	{"Alias", 5},
	{"Dynamic", 7},
}

// TestAllocations keeps the allocations of a call from growing unnoticed. Who
// makes them fewer lowers the budget; who has a reason to make them more says so
// in the commit.
func TestAllocations(t *testing.T) {
	f := newHotFront(t)
	for _, m := range hotMethods {
		s := newHotStream("/hot.Svc/" + m.name)
		if got := testing.AllocsPerRun(1000, func() { s.call(t, f) }); got > m.allocs {
			t.Errorf("%s: %v allocations per call, the budget is %v", m.name, got, m.allocs)
		} else if got < m.allocs {
			t.Logf("%s: %v allocations per call, the budget is %v: lower it", m.name, got, m.allocs)
		}
	}
}

// BenchmarkCall is what dyngate itself takes of a call, without the transport.
func BenchmarkCall(b *testing.B) {
	f := newHotFront(b)
	for _, m := range hotMethods {
		b.Run(m.name, func(b *testing.B) {
			s := newHotStream("/hot.Svc/" + m.name)
			b.ReportAllocs()
			for b.Loop() {
				s.call(b, f)
			}
		})
	}
}
