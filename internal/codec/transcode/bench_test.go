package transcode_test

import (
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/internal/codec/transcode"
	"github.com/dyngate/dyngate/tests/bench/benchpb"
	"github.com/dyngate/dyngate/tests/bench/shop"
)

// benchmarks are messages of a generated type, which protojson reads and writes both
// as such and by dynamicpb.
var benchmarks = map[string]proto.Message{
	"hello": &benchpb.Hello{Name: "Ada Lovelace"},
	"order": shop.NewOrder(18),
}

func BenchmarkDecode(b *testing.B) {
	for name, m := range benchmarks {
		doc, _ := protojson.Marshal(m)
		doc = compact(doc)
		md := m.ProtoReflect().Descriptor()
		b.Run(name+"/plan", func(b *testing.B) {
			p := transcode.NewPlans(nil).Plan(md)
			buf := make([]byte, 0, 2*len(doc))
			b.ReportAllocs()
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				if _, err := p.AppendWire(buf, doc, transcode.DecodeOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		for rival, mt := range map[string]proto.Message{"generated": m, "dynamicpb": dynamicpb.NewMessage(md)} {
			b.Run(name+"/"+rival, func(b *testing.B) {
				buf := make([]byte, 0, 2*len(doc))
				b.ReportAllocs()
				for b.Loop() {
					m := mt.ProtoReflect().New().Interface()
					if err := protojson.Unmarshal(doc, m); err != nil {
						b.Fatal(err)
					}
					if _, err := (proto.MarshalOptions{}).MarshalAppend(buf, m); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkParam(b *testing.B) {
	buf := make([]byte, 0, 200)
	for name, text := range map[string]string{"pages": "412", "author.fullName": "Frank Herbert", "labels[shelf]": "a"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var set transcode.ParamSet
			for b.Loop() {
				set.Reset()
				x, err := book.plan.FindParam(name)
				if err != nil {
					b.Fatal(err)
				}
				if err := set.Add(x); err != nil {
					b.Fatal(err)
				}
				if _, err := x.Append(buf, text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for name, m := range benchmarks {
		msg, _ := proto.Marshal(m)
		md := m.ProtoReflect().Descriptor()
		b.Run(name+"/plan", func(b *testing.B) {
			p := transcode.NewPlans(nil).Plan(md)
			buf := make([]byte, 0, 10*len(msg))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.AppendJSON(buf, msg, transcode.EncodeOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		for rival, mt := range map[string]proto.Message{"generated": m, "dynamicpb": dynamicpb.NewMessage(md)} {
			b.Run(name+"/"+rival, func(b *testing.B) {
				buf := make([]byte, 0, 10*len(msg))
				b.ReportAllocs()
				for b.Loop() {
					m := mt.ProtoReflect().New().Interface()
					if err := proto.Unmarshal(msg, m); err != nil {
						b.Fatal(err)
					}
					if _, err := (protojson.MarshalOptions{}).MarshalAppend(buf, m); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
