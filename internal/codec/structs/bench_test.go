package structs_test

import (
	"testing"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/internal/codec/dynamic"
	"github.com/dyngate/dyngate/internal/codec/structs"
	"github.com/dyngate/dyngate/tests/bench/benchpb"
	"github.com/dyngate/dyngate/tests/bench/shop"
)

type (
	hello = shop.Hello
	order = shop.Order
	money = shop.Money
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// subject is a message that is measured, with what stands for it in each engine.
type subject[T any] struct {
	name string
	m    proto.Message
}

func (s subject[T]) decode(b *testing.B) {
	wire := must(proto.Marshal(s.m))
	md := s.m.ProtoReflect().Descriptor()
	run := func(engine string, f func() error) {
		b.Run(s.name+"/"+engine, func(b *testing.B) {
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("generated", func() error { return proto.Unmarshal(wire, s.m.ProtoReflect().New().Interface()) })
	plan := must(structs.Bind[T](md, structs.Options{}))
	run("struct", func() error { return plan.Unmarshal(wire, new(T)) })
	alias := must(structs.Bind[T](md, structs.Options{Alias: true}))
	run("struct-alias", func() error { return alias.Unmarshal(wire, new(T)) })
	dyn := new(dynamic.Types).Message(md)
	run("dynamic", func() error { return dynamic.Options{}.Unmarshal(wire, dyn.NewMessage()) })
	run("dynamic-proto", func() error { return proto.Unmarshal(wire, dyn.NewMessage()) })
	run("dynamicpb", func() error { return proto.Unmarshal(wire, dynamicpb.NewMessage(md)) })
}

func (s subject[T]) encode(b *testing.B) {
	wire := must(proto.Marshal(s.m))
	md := s.m.ProtoReflect().Descriptor()
	run := func(engine string, f func() (mem.Buffer, error)) {
		b.Run(s.name+"/"+engine, func(b *testing.B) {
			b.SetBytes(int64(len(wire)))
			b.ReportAllocs()
			for b.Loop() {
				buf, err := f()
				if err != nil {
					b.Fatal(err)
				}
				buf.Free()
			}
		})
	}
	pool := mem.DefaultBufferPool()
	marshal := func(m proto.Message) func() (mem.Buffer, error) {
		return func() (mem.Buffer, error) { // as grpc's own codec does
			size := proto.Size(m)
			if mem.IsBelowBufferPoolingThreshold(size) {
				b, err := proto.Marshal(m)
				return mem.SliceBuffer(b), err
			}
			buf := pool.Get(size)
			_, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend((*buf)[:0], m)
			return mem.NewBuffer(buf, pool), err
		}
	}
	run("generated", marshal(s.m))
	plan := must(structs.Bind[T](md, structs.Options{}))
	v := new(T)
	must(0, plan.Unmarshal(wire, v))
	run("struct", func() (mem.Buffer, error) { return plan.Marshal(v, pool) })
	dyn := dynamic.NewMessage(md)
	must(0, dynamic.Options{}.Unmarshal(wire, dyn))
	run("dynamic", func() (mem.Buffer, error) { return dynamic.Options{}.Marshal(dyn, pool) })
	slow := dynamicpb.NewMessage(md)
	must(0, proto.Unmarshal(wire, slow))
	run("dynamicpb", marshal(slow))
}

var (
	helloSubject = subject[hello]{"hello", &benchpb.Hello{Name: "Ada Lovelace"}}
	orderSubject = subject[order]{"order3.5K", shop.NewOrder(16)}
	largeSubject = subject[order]{"order10K", shop.NewOrder(52)}
)

func BenchmarkDecode(b *testing.B) {
	helloSubject.decode(b)
	orderSubject.decode(b)
	largeSubject.decode(b)
}

func BenchmarkEncode(b *testing.B) {
	helloSubject.encode(b)
	orderSubject.encode(b)
	largeSubject.encode(b)
}

// TestOrder tells that what is measured is right.
func TestOrder(t *testing.T) {
	for _, n := range []int{0, 1, 16, 52} {
		want := shop.NewOrder(n)
		wire := must(proto.Marshal(want))
		t.Logf("%d items: %d bytes", n, len(wire))
		plan := must(structs.Bind[order](want.ProtoReflect().Descriptor(), structs.Options{}))
		var v order
		if err := plan.Unmarshal(wire, &v); err != nil {
			t.Fatal(err)
		}
		out := must(plan.Append(nil, &v))
		got := &benchpb.Order{}
		if err := proto.Unmarshal(out, got); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	}
}
