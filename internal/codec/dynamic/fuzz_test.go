package dynamic_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/internal/codec/dynamic"
	"github.com/dyngate/dyngate/internal/codec/internal/randproto"
	"github.com/dyngate/dyngate/internal/codec/wire"
)

// subject is a message type with its extensions, for us and for dynamicpb.
type subject struct {
	typ     *dynamic.Type
	ours    *protoregistry.Types
	theirs  *protoregistry.Types
	extends map[protoreflect.FullName][]protoreflect.FieldDescriptor
}

func newSubject(md protoreflect.MessageDescriptor) *subject {
	types := new(dynamic.Types)
	s := &subject{
		typ: types.Message(md), ours: new(protoregistry.Types), theirs: new(protoregistry.Types),
		extends: map[protoreflect.FullName][]protoreflect.FieldDescriptor{},
	}
	xs := md.ParentFile().Extensions()
	for i := range xs.Len() {
		must(0, s.ours.RegisterExtension(types.Extension(xs.Get(i))))
		must(0, s.theirs.RegisterExtension(dynamicpb.NewExtensionType(xs.Get(i))))
		name := xs.Get(i).ContainingMessage().FullName()
		s.extends[name] = append(s.extends[name], xs.Get(i))
	}
	return s
}

// check reads b in three ways and compares what comes out.
func (s *subject) check(t *testing.T, b []byte) {
	t.Helper()
	o := &oracle{extensions: s.ours}
	want, wantErr := o.read(s.typ.Descriptor(), b)
	in := bytes.Clone(b)
	m := s.typ.NewMessage()
	err := dynamic.Options{Resolver: s.ours}.Unmarshal(in, m)
	clear(in) // nothing may refer to it
	if (wantErr != nil) != errors.Is(err, wire.ErrMalformed) {
		t.Fatalf("%x: the oracle says %v, we say %v\n%s", b, wantErr, err, s)
	}
	if wantErr != nil {
		return
	}
	if want.lacks() != errors.Is(err, wire.ErrRequired) {
		t.Fatalf("%x: lacks required fields: %v, we say %v\n%s", b, want.lacks(), err, s)
	}
	if o.signaling {
		return
	}
	canonical := want.write(nil)
	for name, m := range map[string]*dynamic.Message{"message": m, "clone": proto.Clone(m).(*dynamic.Message), "copy": copyOf(m)} {
		out, err := proto.MarshalOptions{Deterministic: true, AllowPartial: true}.Marshal(m)
		if err != nil {
			t.Fatalf("%x: %s: %v\n%s", b, name, err, s)
		}
		if !bytes.Equal(out, canonical) {
			t.Fatalf("%x: the %s is written\n%x, want\n%x\n%v\n%s", b, name, out, canonical, m, s)
		}
	}
	if !o.closed {
		s.compare(t, b, m)
	}
}

// compare compares m with what dynamicpb reads, through reflection.
func (s *subject) compare(t *testing.T, b []byte, m *dynamic.Message) {
	t.Helper()
	theirs := dynamicpb.NewMessage(s.typ.Descriptor())
	ok, err := unmarshalTheirs(b, theirs, s.theirs)
	if !ok {
		return
	}
	if err != nil {
		t.Fatalf("%x: dynamicpb refuses it: %v\n%s", b, err, s)
	}
	if len(s.extends) == 0 && !proto.Equal(m, theirs) {
		t.Fatalf("%x: we read\n%v\ndynamicpb reads\n%v\n%s", b, m, theirs, s)
	}
	deterministic := proto.MarshalOptions{Deterministic: true, AllowPartial: true}
	if got, want := must(deterministic.Marshal(m)), must(deterministic.Marshal(theirs)); !bytes.Equal(got, want) {
		t.Fatalf("%x: we write\n%x\ndynamicpb writes\n%x\n%s", b, got, want, s)
	}
	if got, want := prototext.Format(m), prototext.Format(theirs); got != want {
		t.Fatalf("%x: we read\n%v\ndynamicpb reads\n%v\n%s", b, got, want, s)
	}
}

// unmarshalTheirs reads b with dynamicpb; ok is false where that panics.
func unmarshalTheirs(b []byte, m proto.Message, types *protoregistry.Types) (ok bool, err error) {
	defer func() { _ = recover() }()
	err = proto.UnmarshalOptions{AllowPartial: true, Resolver: types}.Unmarshal(b, m)
	return true, err
}

// copyOf copies a message through reflection alone.
func copyOf(m *dynamic.Message) *dynamic.Message {
	c := m.New()
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsList():
			l := c.Mutable(fd).List()
			for i := range v.List().Len() {
				l.Append(v.List().Get(i))
			}
		case fd.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				c.Mutable(fd).Map().Set(k, v)
				return true
			})
		default:
			c.Set(fd, v)
		}
		return true
	})
	c.SetUnknown(m.GetUnknown())
	return c.(*dynamic.Message)
}

func (s *subject) String() string {
	return prototext.Format(protodesc.ToFileDescriptorProto(s.typ.Descriptor().ParentFile()))
}

var subjects sync.Map

func subjectOf(seed uint64) *subject {
	if s, ok := subjects.Load(seed); ok {
		return s.(*subject)
	}
	file := randproto.New(seed, randproto.Options{Recursive: true, Extensions: true})
	s, _ := subjects.LoadOrStore(seed, newSubject(file.Descriptor.Messages().Get(0)))
	return s.(*subject)
}

func newWire(seed uint64, s *subject) randproto.Wire {
	w := randproto.NewWire(seed)
	w.Extensions = s.extends
	return w
}

// FuzzRandom reads random and mutated messages of random schemas.
func FuzzRandom(f *testing.F) {
	for i := range uint64(500) {
		f.Add(i, i*7, []byte{byte(i), byte(i * 3), 8})
	}
	f.Fuzz(func(t *testing.T, schemaSeed, dataSeed uint64, extra []byte) {
		s := subjectOf(schemaSeed % 5000)
		w := newWire(dataSeed, s)
		for range 5 {
			b := w.Message(s.typ.Descriptor(), 4)
			s.check(t, b)
			s.check(t, w.Mutate(b, extra))
		}
		s.check(t, extra)
	})
}

// FuzzBytes reads bytes as messages of schemas that have everything.
func FuzzBytes(f *testing.F) {
	var all []*subject
	eachMessage(func(md protoreflect.MessageDescriptor) { all = append(all, newSubject(md)) })
	for i, s := range all {
		w := newWire(uint64(i), s)
		f.Add(uint8(i), []byte(nil))
		if s.typ.Descriptor().Fields().Len() > 0 {
			for range 20 {
				f.Add(uint8(i), w.Message(s.typ.Descriptor(), 3))
			}
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		all[int(which)%len(all)].check(t, b)
	})
}
