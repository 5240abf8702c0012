package dynamic_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/dyngate/dyngate/internal/codec/dynamic"
	"github.com/dyngate/dyngate/internal/codec/internal/randproto"
	"github.com/dyngate/dyngate/tests/bench/benchpb"
	"github.com/dyngate/dyngate/tests/bench/shop"
)

// generated are messages of generated code: one with every kind of field, a
// recursive one, and one of proto2 with extensions, required fields and closed
// enums.
var generated = []proto.Message{new(benchpb.Order), new(structpb.Struct), new(descriptorpb.FileDescriptorProto)}

// sameAsGenerated compares what generated code and we make of b.
func sameAsGenerated(t *testing.T, typ *dynamic.Type, empty proto.Message, b []byte) {
	t.Helper()
	o := &oracle{}
	_, oracleErr := o.read(typ.Descriptor(), b)
	theirs := empty.ProtoReflect().New().Interface()
	opts := proto.UnmarshalOptions{AllowPartial: true, Resolver: new(protoregistry.Types)}
	theirErr := opts.Unmarshal(b, theirs)
	ours := typ.NewMessage()
	opts.RecursionLimit = oracleDepth
	err := opts.Unmarshal(b, ours)
	if (err != nil) != (oracleErr != nil) || err == nil && theirErr != nil {
		t.Fatalf("%x: generated code says %v, we say %v", b, theirErr, err)
	}
	if err != nil || o.closed || o.signaling {
		return
	}
	deterministic := proto.MarshalOptions{Deterministic: true, AllowPartial: true}
	wantBytes, gotBytes := must(deterministic.Marshal(theirs)), must(deterministic.Marshal(ours))
	if !bytes.Equal(gotBytes, wantBytes) {
		// Generated code shortens overlong tags of unknown fields when it reads
		// them; dynamicpb keeps them, as we do.
		shortened := proto.Clone(empty)
		if err := opts.Unmarshal(gotBytes, shortened); err == nil && len(gotBytes) > len(wantBytes) &&
			bytes.Equal(must(deterministic.Marshal(shortened)), wantBytes) {
			return
		}
		t.Fatalf("%x: generated code writes\n%x, we write\n%x", b, wantBytes, gotBytes)
	}
	if got, want := proto.CheckInitialized(ours) == nil, proto.CheckInitialized(theirs) == nil; got != want {
		t.Fatalf("%x: initialized: generated code says %v, we say %v (%v)", b, want, got, want)
	}
	if !proto.Equal(ours, theirs) || !proto.Equal(theirs, ours) {
		t.Fatalf("%x: not equal:\n%v\n%v", b, ours, theirs)
	}
}

// FuzzGenerated compares with generated code.
func FuzzGenerated(f *testing.F) {
	f.Add(uint8(0), uint64(0), must(proto.Marshal(shop.NewOrder(2))))
	f.Add(uint8(2), uint64(0), must(proto.Marshal(protodesc.ToFileDescriptorProto(benchpb.File_bench_proto))))
	for i := range uint64(150) {
		f.Add(uint8(i), i, []byte{byte(i)})
	}
	types := new(dynamic.Types)
	f.Fuzz(func(t *testing.T, which uint8, seed uint64, b []byte) {
		m := generated[int(which)%len(generated)]
		typ := types.Message(m.ProtoReflect().Descriptor())
		sameAsGenerated(t, typ, m, b)
		w := randproto.NewWire(seed)
		random := w.Message(typ.Descriptor(), 4)
		sameAsGenerated(t, typ, m, random)
		sameAsGenerated(t, typ, m, w.Mutate(random, b))
	})
}
