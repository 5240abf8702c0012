//go:build !race

// With the race detector, sync.Pool drops values at random, so that allocations
// cannot be counted.

package dynclient_test

import (
	"context"
	"errors"
	"testing"
	"testing/fstest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynclient"
)

const hotProto = `syntax = "proto3"; package hot; message Msg { string text = 1; }
service Svc { rpc Echo(Msg) returns (Msg); }`

type msg struct{ Text string }

// echo is a connection to a server that responds with the request. It handles
// messages like grpc's connection but allocates nothing, so that all
// allocations of calls are dynclient's.
type echo struct{ grpc.ClientConnInterface }

func (echo) Invoke(_ context.Context, _ string, in, out any, opts ...grpc.CallOption) error {
	var codec encoding.CodecV2
	for _, o := range opts {
		if o, ok := o.(grpc.ForceCodecV2CallOption); ok {
			codec = o.CodecV2
		}
	}
	data, err := codec.Marshal(in)
	if err != nil {
		return err
	}
	defer data.Free()
	return codec.Unmarshal(data, out)
}

// hotCall is a kind of call that must be fast.
type hotCall struct {
	name   string
	call   func(context.Context) error
	allocs float64
}

var errWrong = errors.New("the reply is not the request")

func hotCalls(tb testing.TB) []hotCall {
	tb.Helper()
	files := fstest.MapFS{"hot.proto": {Data: []byte(hotProto)}}
	c := dynclient.New(echo{}, dynclient.WithSources(dynclient.FS("hot", files)))
	tb.Cleanup(func() { _ = c.Close() })
	structs, err := dynclient.Unary[msg, msg](c, "hot.Svc/Echo")
	if err != nil {
		tb.Fatal(err)
	}
	dynamic, err := dynclient.Unary[dynclient.Dynamic, dynclient.Dynamic](c, "hot.Svc/Echo")
	if err != nil {
		tb.Fatal(err)
	}
	m, err := c.Schema().Method(tb.Context(), "hot.Svc/Echo")
	if err != nil {
		tb.Fatal(err)
	}
	const text = "Ada Lovelace"
	in, built := &msg{Text: text}, m.NewRequest()
	field := built.Descriptor().Fields().ByName("text")
	built.Set(field, protoreflect.ValueOfString(text))
	withStructs := func(ctx context.Context, opts ...grpc.CallOption) error {
		out, err := structs(ctx, in, opts...)
		if err == nil && out.Text != text {
			return errWrong
		}
		return err
	}
	timeout := dynclient.Timeout(time.Minute)
	return []hotCall{
		{"Struct", func(ctx context.Context) error { return withStructs(ctx) }, 5},
		{"Timeout", func(ctx context.Context) error { return withStructs(ctx, timeout) }, 12},
		{"Dynamic", func(ctx context.Context) error {
			out, err := dynamic(ctx, built)
			if err == nil && out.Get(out.Descriptor().Fields().ByName("text")).String() != text {
				return errWrong
			}
			return err
		}, 14},
	}
}

// TestAllocations compares the allocations of a call with a budget. A change
// with fewer allocations lowers it; the commit of a change with more says why.
func TestAllocations(t *testing.T) {
	for _, h := range hotCalls(t) {
		got := testing.AllocsPerRun(1000, func() {
			if err := h.call(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
		if got > h.allocs {
			t.Errorf("%s: %v allocations per call, the budget is %v", h.name, got, h.allocs)
		} else if got < h.allocs {
			t.Logf("%s: %v allocations per call, the budget is %v: lower it", h.name, got, h.allocs)
		}
	}
}

// BenchmarkCall measures dynclient's part of a call, without grpc.
func BenchmarkCall(b *testing.B) {
	for _, h := range hotCalls(b) {
		b.Run(h.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := h.call(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
