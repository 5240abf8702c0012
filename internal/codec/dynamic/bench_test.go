package dynamic_test

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/internal/codec/dynamic"
	"github.com/dyngate/dyngate/tests/bench/shop"
)

// engines are the implementations that are compared, with an order in each.
func engines(b *testing.B) map[string]protoreflect.Message {
	slow := dynamicpb.NewMessage(shop.NewOrder(0).ProtoReflect().Descriptor())
	proto.Merge(slow, shop.NewOrder(16))
	return map[string]protoreflect.Message{"generated": shop.NewOrder(16).ProtoReflect(), "dynamic": order(b), "dynamicpb": slow}
}

func BenchmarkGet(b *testing.B) {
	for name, m := range engines(b) {
		for _, f := range []protoreflect.Name{"customer_id", "customer_name", "total", "items", "labels", "voucher"} {
			fd := field(m, f)
			b.Run(string(f)+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_ = m.Get(fd)
				}
			})
		}
	}
}

func BenchmarkSet(b *testing.B) {
	for name, m := range engines(b) {
		for f, v := range map[protoreflect.Name]protoreflect.Value{
			"customer_id": protoreflect.ValueOfInt64(5), "customer_name": protoreflect.ValueOfString("Ada"), "total": m.Get(field(m, "total")),
		} {
			fd := field(m, f)
			b.Run(string(f)+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					m.Set(fd, v)
				}
			})
		}
	}
}

func BenchmarkRange(b *testing.B) {
	for name, m := range engines(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				visitAll(m)
			}
		})
	}
}

func visitAll(m protoreflect.Message) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsMap():
			v.Map().Range(func(protoreflect.MapKey, protoreflect.Value) bool { return true })
		case fd.IsList():
			for i := range v.List().Len() {
				if e := v.List().Get(i); fd.Message() != nil {
					visitAll(e.Message())
				}
			}
		case fd.Message() != nil:
			visitAll(v.Message())
		}
		return true
	})
}

func BenchmarkClone(b *testing.B) {
	for name, m := range engines(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				proto.Clone(m.Interface())
			}
		})
	}
}

// BenchmarkCompile compiles the types that an order has: seven.
func BenchmarkCompile(b *testing.B) {
	md := shop.NewOrder(0).ProtoReflect().Descriptor()
	wire := must(proto.Marshal(shop.NewOrder(1)))
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			new(dynamic.Types).Message(md)
		}
	})
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			must(0, dynamic.Options{}.Unmarshal(wire, new(dynamic.Types).Message(md).NewMessage()))
		}
	})
}
