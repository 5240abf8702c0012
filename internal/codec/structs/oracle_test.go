package structs

import (
	"errors"
	"math"
	"reflect"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/internal/codec/internal/randproto"
)

// openEnums makes closed enums take every number, as protobuf for Go does. What
// the specification asks for instead has its own tests.
func (g *engine) openEnums() {
	done := map[*plan]bool{}
	var visit func(pl *plan)
	visit = func(pl *plan) {
		if pl == nil || done[pl] {
			return
		}
		done[pl] = true
		for i := range pl.fields {
			if f := &pl.fields[i]; f.enum != nil {
				f.enum.closed = false
			}
			visit(pl.fields[i].sub)
		}
	}
	visit(g.root)
}

var schemas sync.Map

func schemaOf(seed uint64) *schema {
	if s, ok := schemas.Load(seed); ok {
		return s.(*schema)
	}
	s := makeSchema(seed)
	schemas.Store(seed, s)
	return s
}

// normalise takes from m what the structs of the schema cannot tell: unknown
// fields that are not kept, and presence where a plain value was bound.
func (s *schema) normalise(m protoreflect.Message) {
	mo := s.models[m.Descriptor().FullName()]
	if !mo.keepsUnknown {
		m.SetUnknown(nil)
	}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsMap():
			if fd.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
					s.normalise(v.Message())
					return true
				})
			}
		case fd.IsList():
			for i := 0; fd.Message() != nil && i < v.List().Len(); i++ {
				s.normalise(v.List().Get(i).Message())
			}
		case fd.Message() != nil:
			s.normalise(v.Message())
			if mo.plain[fd.Number()] && proto.Size(v.Message().Interface()) == 0 {
				m.Clear(fd)
			}
		case mo.plain[fd.Number()] && sameBits(v, fd.Default()):
			m.Clear(fd)
		}
		return true
	})
}

func sameBits(a, b protoreflect.Value) bool {
	if f, ok := a.Interface().(float64); ok {
		return math.Float64bits(f) == math.Float64bits(b.Float())
	}
	if f, ok := a.Interface().(float32); ok {
		return math.Float32bits(f) == math.Float32bits(float32(b.Float()))
	}
	return a.Equal(b)
}

// decodeOracle reads b with dynamicpb. It panics on some maps; ok is then false.
func (s *schema) decodeOracle(b []byte) (m *dynamicpb.Message, ok bool, err error) {
	defer func() { _ = recover() }()
	m = dynamicpb.NewMessage(s.root)
	err = proto.UnmarshalOptions{AllowPartial: true}.Unmarshal(b, m)
	return m, true, err
}

// check compares what both make of b.
func (s *schema) check(t *testing.T, b []byte) {
	t.Helper()
	want, ok, wantErr := s.decodeOracle(b)
	for _, g := range []*engine{s.engine, s.alias} {
		v := reflect.New(g.root.typ)
		in := append([]byte(nil), b...)
		err := g.unmarshal(in, v.UnsafePointer())
		if !ok {
			continue
		}
		if wantErr == nil && randproto.HasLongVarint(b) && errors.Is(err, ErrMalformed) {
			continue // dynamicpb takes tags of six bytes
		}
		if (wantErr != nil) != errors.Is(err, ErrMalformed) {
			t.Fatalf("%x: dynamicpb says %v, we say %v\n%v", b, wantErr, err, s.describe())
		}
		if wantErr != nil {
			continue
		}
		missing := missingIn(want)
		var required *RequiredError
		if errors.As(err, &required) != (len(missing) > 0) || required != nil && len(required.Paths) != len(missing) {
			t.Fatalf("%x: dynamicpb lacks %v, we say %v\n%v", b, missing, err, s.describe())
		}
		if len(missing) > 0 {
			continue
		}
		if g == s.engine {
			clear(in) // nothing may point into it
		}
		s.checkEncode(t, g, v, b, want)
	}
}

func (s *schema) checkEncode(t *testing.T, g *engine, v reflect.Value, b []byte, want *dynamicpb.Message) {
	t.Helper()
	e, err := g.encode(v.UnsafePointer())
	if err != nil {
		t.Fatalf("%x: encode: %v\n%v", b, err, s.describe())
	}
	out := append([]byte(nil), e.Bytes()...)
	g.release(e)
	got := dynamicpb.NewMessage(s.root)
	if err := proto.Unmarshal(out, got); err != nil {
		t.Fatalf("%x: what we wrote is malformed: %x: %v\n%v", b, out, err, s.describe())
	}
	want = proto.Clone(want).(*dynamicpb.Message)
	s.normalise(want)
	s.normalise(got)
	if !proto.Equal(got, want) {
		t.Fatalf("%x\nwe wrote %x\ngot  %v\nwant %v\n%v\n%v", b, out, got, want, v.Type(), s.describe())
	}
}

func (s *schema) describe() string {
	return protodescText(s.root.ParentFile())
}

func FuzzDecode(f *testing.F) {
	for i := range uint64(400) {
		f.Add(i, i*7, []byte{byte(i), byte(i * 3), 8})
	}
	f.Fuzz(func(t *testing.T, schemaSeed, dataSeed uint64, extra []byte) {
		s := schemaOf(schemaSeed % 5000)
		w := randproto.NewWire(dataSeed)
		for range 10 {
			s.check(t, w.Mutate(w.Message(s.root, 4), extra))
		}
		s.check(t, extra)
	})
}

func FuzzRoundTrip(f *testing.F) {
	for i := range uint64(400) {
		f.Add(i, i*13)
	}
	f.Fuzz(func(t *testing.T, schemaSeed, dataSeed uint64) {
		s := schemaOf(schemaSeed % 5000)
		w := randproto.NewWire(dataSeed)
		for range 10 {
			s.check(t, w.Message(s.root, 4))
		}
	})
}

func protodescText(fd protoreflect.FileDescriptor) string {
	return prototext.Format(protodesc.ToFileDescriptorProto(fd))
}
