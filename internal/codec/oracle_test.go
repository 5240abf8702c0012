package codec

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/internal/codec/wire"
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

// wireMaker writes random messages on the wire: fields in any order and more
// than once, packed or not, with unknown ones between them.
type wireMaker struct{ r *rand.Rand }

func (w wireMaker) message(md protoreflect.MessageDescriptor, depth int) []byte {
	var b []byte
	for range w.r.IntN(10) {
		if w.r.IntN(12) == 0 {
			b = w.unknown(b)
			continue
		}
		b = w.field(b, md.Fields().Get(w.r.IntN(md.Fields().Len())), depth)
	}
	for i := range md.RequiredNumbers().Len() {
		if w.r.IntN(8) > 0 {
			b = w.field(b, md.Fields().ByNumber(md.RequiredNumbers().Get(i)), depth)
		}
	}
	return b
}

func (w wireMaker) unknown(b []byte) []byte {
	num := protowire.Number(1 + w.r.IntN(300))
	switch w.r.IntN(4) {
	case 0:
		return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), w.r.Uint64())
	case 1:
		return protowire.AppendFixed64(protowire.AppendTag(b, num, protowire.Fixed64Type), w.r.Uint64())
	case 2:
		return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), []byte("unknown"))
	}
	b = w.unknown(protowire.AppendTag(b, num, protowire.StartGroupType))
	return protowire.AppendTag(b, num, protowire.EndGroupType)
}

func (w wireMaker) field(b []byte, fd protoreflect.FieldDescriptor, depth int) []byte {
	switch {
	case fd.IsMap():
		return protowire.AppendBytes(protowire.AppendTag(b, fd.Number(), protowire.BytesType), w.entry(fd, depth))
	case fd.Message() != nil:
		if depth == 0 {
			return b
		}
		body := w.message(fd.Message(), depth-1)
		if fd.Kind() == protoreflect.GroupKind {
			b = append(protowire.AppendTag(b, fd.Number(), protowire.StartGroupType), body...)
			return protowire.AppendTag(b, fd.Number(), protowire.EndGroupType)
		}
		return protowire.AppendBytes(protowire.AppendTag(b, fd.Number(), protowire.BytesType), body)
	case fd.IsList() && wire.TypeOf(fd.Kind()) != protowire.BytesType && w.r.IntN(2) == 0:
		var body []byte
		for range w.r.IntN(5) {
			body = w.value(body, fd)
		}
		return protowire.AppendBytes(protowire.AppendTag(b, fd.Number(), protowire.BytesType), body)
	}
	return w.value(protowire.AppendTag(b, fd.Number(), wire.TypeOf(fd.Kind())), fd)
}

func (w wireMaker) entry(fd protoreflect.FieldDescriptor, depth int) []byte {
	var b []byte
	for range w.r.IntN(4) {
		b = w.field(b, fd.Message().Fields().Get(w.r.IntN(2)), depth)
	}
	return b
}

func (w wireMaker) value(b []byte, fd protoreflect.FieldDescriptor) []byte {
	x := []uint64{0, 1, 5, 7, math.MaxUint64 - 2, w.r.Uint64() >> w.r.IntN(64)}[w.r.IntN(6)]
	switch wire.TypeOf(fd.Kind()) {
	case protowire.Fixed32Type:
		return protowire.AppendFixed32(b, uint32(x))
	case protowire.Fixed64Type:
		return protowire.AppendFixed64(b, x)
	case protowire.BytesType:
		return protowire.AppendBytes(b, []byte([]string{"", "a", "7", "grüße", "\xff", "a longer text that is no default"}[w.r.IntN(6)]))
	}
	if x < 0x80 && w.r.IntN(10) == 0 {
		return append(b, byte(x)|0x80, 0) // one byte longer than it must be
	}
	return protowire.AppendVarint(b, x)
}

func (w wireMaker) mutate(b, extra []byte) []byte {
	for range w.r.IntN(4) {
		if len(b) == 0 {
			break
		}
		i := w.r.IntN(len(b))
		switch w.r.IntN(5) {
		case 0:
			b[i] ^= 1 << w.r.IntN(8)
		case 1:
			b = b[:i]
		case 2:
			b = append(b[:i], b[i+1:]...)
		case 3:
			b = append(b[:i:i], append([]byte{byte(w.r.Uint32())}, b[i:]...)...)
		case 4:
			b = append(b[:i:i], append(extra, b[i:]...)...)
		}
	}
	return b
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
	if !mo.keeps {
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

// hasLongVarint reports whether b may have a tag of more than five bytes.
func hasLongVarint(b []byte) bool {
	run := 0
	for _, c := range b {
		if run++; c < 0x80 {
			run = 0
		}
		if run == 5 {
			return true
		}
	}
	return false
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
		if wantErr == nil && hasLongVarint(b) && errors.Is(err, ErrMalformed) {
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
		w := wireMaker{rand.New(rand.NewPCG(dataSeed, 2))}
		for range 10 {
			s.check(t, w.mutate(w.message(s.root, 4), extra))
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
		w := wireMaker{rand.New(rand.NewPCG(dataSeed, 3))}
		for range 10 {
			s.check(t, w.message(s.root, 4))
		}
	})
}

func protodescText(fd protoreflect.FileDescriptor) string {
	return prototext.Format(protodesc.ToFileDescriptorProto(fd))
}
