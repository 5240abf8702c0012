package structs

import (
	"fmt"
	"reflect"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/internal/randproto"
)

// schema is a random .proto file with a Go struct type for each of its messages.
// Messages nest only later ones, since reflect cannot make recursive types;
// recursion has tests of its own.
type schema struct {
	root   protoreflect.MessageDescriptor
	models map[protoreflect.FullName]*model
	engine *engine
	alias  *engine
}

// model says how a message was bound, where that changes what is written.
type model struct {
	typ          reflect.Type
	keepsUnknown bool
	plain        map[protoreflect.FieldNumber]bool // plain values of fields with presence
	byRef        bool                              // required fields or defaults in it or below: a zero struct is no message then
}

// typeMaker makes Go types for a random schema.
type typeMaker struct{ *randproto.Schema }

func makeSchema(seed uint64) *schema {
	m := typeMaker{randproto.New(seed, randproto.Options{})}
	return m.bind(m.Descriptor)
}

// bind makes a struct type for each message and compiles the plans.
func (m *typeMaker) bind(fd protoreflect.FileDescriptor) *schema {
	s := &schema{root: fd.Messages().Get(0), models: map[protoreflect.FullName]*model{}}
	for i := fd.Messages().Len() - 1; i >= 0; i-- {
		m.addModel(s, fd.Messages().Get(i), m.Demands[i])
	}
	for _, to := range []**engine{&s.engine, &s.alias} {
		g, err := bind(s.models[s.root.FullName()].typ, s.root, Options{Alias: to == &s.alias})
		if err != nil {
			panic(fmt.Sprintf("%v\n%v", err, m.File))
		}
		g.openEnums()
		*to = g
	}
	return s
}

// addModel makes the models of a message and of the groups in it.
func (m *typeMaker) addModel(s *schema, md protoreflect.MessageDescriptor, demand bool) {
	if md.IsMapEntry() {
		return
	}
	for i := range md.Messages().Len() {
		m.addModel(s, md.Messages().Get(i), demand)
	}
	s.models[md.FullName()] = m.model(s, md, demand)
}

func (m *typeMaker) model(s *schema, md protoreflect.MessageDescriptor, demand bool) *model {
	out := &model{plain: map[protoreflect.FieldNumber]bool{}, byRef: demand}
	var fields []reflect.StructField
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		if fd.Cardinality() == protoreflect.Optional && fd.Enum() == nil && numberTypes[fd.Kind()] != nil && fd.ContainingOneof() == nil && m.Chance(10) {
			continue // not bound: an unknown field
		}
		name := fmt.Sprintf("F%d", fd.Number())
		fields = append(fields, reflect.StructField{Name: name, Type: m.goType(s, out, fd)})
	}
	out.keepsUnknown = m.Chance(60) || len(fields) < md.Fields().Len()
	if out.keepsUnknown {
		fields = append(fields, reflect.StructField{Name: "Unknown", Type: reflect.TypeFor[[]byte](), Tag: `proto:",unknown"`})
	}
	m.Rand.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	out.typ = reflect.StructOf(fields)
	return out
}

func (m *typeMaker) goType(s *schema, out *model, fd protoreflect.FieldDescriptor) reflect.Type {
	switch {
	case fd.IsMap():
		value := m.elemType(s, fd.MapValue())
		if fd.MapValue().Message() != nil && m.Chance(50) {
			value = reflect.PointerTo(value)
		}
		return reflect.MapOf(m.keyType(s, fd.MapKey()), value)
	case fd.IsList():
		t := m.elemType(s, fd)
		if fd.Message() != nil && m.Chance(50) {
			t = reflect.PointerTo(t)
		}
		return reflect.SliceOf(t)
	}
	t := m.elemType(s, fd)
	switch {
	case t.Kind() == reflect.Slice:
		return t
	case fd.ContainingOneof() != nil && !fd.ContainingOneof().IsSynthetic(),
		fd.Message() != nil && s.models[fd.Message().FullName()].byRef,
		m.Chance(60):
		return reflect.PointerTo(t)
	}
	out.plain[fd.Number()] = fd.HasPresence() && fd.Cardinality() != protoreflect.Required
	return t
}

func (m *typeMaker) keyType(s *schema, fd protoreflect.FieldDescriptor) reflect.Type {
	for {
		if t := m.elemType(s, fd); t.Kind() != reflect.Slice {
			return t
		}
	}
}

func (m *typeMaker) elemType(s *schema, fd protoreflect.FieldDescriptor) reflect.Type {
	if fd.Message() != nil {
		return s.models[fd.Message().FullName()].typ
	}
	narrowest := numberTypes[fd.Kind()]
	wide := m.Chance(25)
	switch fd.Kind() {
	case protoreflect.BytesKind:
		return reflect.TypeFor[[]byte]()
	case protoreflect.StringKind:
		if wide {
			return reflect.TypeFor[[]byte]()
		}
		return reflect.TypeFor[string]()
	case protoreflect.EnumKind:
		if m.Chance(40) {
			return reflect.TypeFor[string]()
		}
	}
	if wide {
		return map[reflect.Kind]reflect.Type{
			reflect.Int32: reflect.TypeFor[int](), reflect.Int64: reflect.TypeFor[int](),
			reflect.Uint32: reflect.TypeFor[uint64](), reflect.Uint64: reflect.TypeFor[uint](),
			reflect.Float32: reflect.TypeFor[float64](), reflect.Float64: reflect.TypeFor[float64](),
			reflect.Bool: reflect.TypeFor[bool](),
		}[narrowest.Kind()]
	}
	return narrowest
}
