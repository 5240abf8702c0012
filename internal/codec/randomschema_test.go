package codec

import (
	"fmt"
	"math/rand/v2"
	"reflect"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
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
	typ   reflect.Type
	keeps bool
	plain map[protoreflect.FieldNumber]bool // plain values of fields with presence
	byRef bool                              // required fields or defaults in it or below: a zero struct is no message then
}

// schemaMaker builds a file descriptor from random numbers.
type schemaMaker struct {
	r      *rand.Rand
	syntax string
	file   *descriptorpb.FileDescriptorProto
	demand []bool // of each message: see model.byRef
}

var scalarTypes = []descriptorpb.FieldDescriptorProto_Type{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 18}

func makeSchema(seed uint64) *schema {
	m := &schemaMaker{r: rand.New(rand.NewPCG(seed, 1))}
	m.syntax = []string{"proto2", "proto3", "editions"}[m.r.IntN(3)]
	m.file = &descriptorpb.FileDescriptorProto{Name: proto.String("r.proto"), Package: proto.String("r"), Syntax: &m.syntax}
	if m.syntax == "editions" {
		m.file.Edition = descriptorpb.Edition_EDITION_2023.Enum()
	}
	for i := range 2 {
		m.file.EnumType = append(m.file.EnumType, m.enum(i))
	}
	n := 1 + m.r.IntN(4)
	m.file.MessageType = make([]*descriptorpb.DescriptorProto, n)
	m.demand = make([]bool, n)
	for i := n - 1; i >= 0; i-- {
		m.file.MessageType[i] = m.message(".r", fmt.Sprintf("M%d", i), i, n)
	}
	fd, err := protodesc.NewFile(m.file, nil)
	if err != nil {
		panic(fmt.Sprintf("seed %d: %v\n%v", seed, err, m.file))
	}
	return m.bind(fd)
}

func (m *schemaMaker) chance(percent int) bool { return m.r.IntN(100) < percent }

func (m *schemaMaker) enum(i int) *descriptorpb.EnumDescriptorProto {
	e := &descriptorpb.EnumDescriptorProto{Name: proto.String(fmt.Sprintf("E%d", i))}
	for k, n := range []int32{0, 1, 5, -3, 1000} {
		name := fmt.Sprintf("E%d_V%d", i, k)
		e.Value = append(e.Value, &descriptorpb.EnumValueDescriptorProto{Name: &name, Number: proto.Int32(n)})
	}
	if m.syntax == "editions" && m.chance(50) {
		e.Options = &descriptorpb.EnumOptions{Features: &descriptorpb.FeatureSet{EnumType: descriptorpb.FeatureSet_CLOSED.Enum()}}
	}
	return e
}

// message makes message i of n, or a group in it.
func (m *schemaMaker) message(scope, name string, i, n int) *descriptorpb.DescriptorProto {
	md := &descriptorpb.DescriptorProto{Name: &name}
	scope += "." + name
	used := map[int32]bool{}
	oneofs := m.r.IntN(3)
	if m.chance(70) {
		oneofs = 0
	}
	for k := range oneofs {
		md.OneofDecl = append(md.OneofDecl, &descriptorpb.OneofDescriptorProto{Name: proto.String(fmt.Sprintf("o%d", k))})
		for range 2 + m.r.IntN(2) {
			f := m.field(md, scope, i, n, used)
			f.OneofIndex = proto.Int32(int32(k))
			md.Field = append(md.Field, f)
		}
	}
	for range 1 + m.r.IntN(8) {
		f := m.field(md, scope, i, n, used)
		m.label(md, scope, f, i)
		md.Field = append(md.Field, f)
	}
	for k, f := range md.Field {
		if f.GetProto3Optional() {
			f.OneofIndex = proto.Int32(int32(len(md.OneofDecl)))
			md.OneofDecl = append(md.OneofDecl, &descriptorpb.OneofDescriptorProto{Name: proto.String(fmt.Sprintf("_s%d", k))})
		}
	}
	return md
}

// field makes a singular field.
func (m *schemaMaker) field(md *descriptorpb.DescriptorProto, scope string, i, n int, used map[int32]bool) *descriptorpb.FieldDescriptorProto {
	num := int32(1 + m.r.IntN(15))
	for used[num] {
		num = int32(1 + m.r.IntN([]int{20, 200, 18000, 1<<29 - 1}[m.r.IntN(4)]))
	}
	used[num] = true
	name := fmt.Sprintf("f%d", num)
	if num >= 19000 && num < 20000 {
		return m.field(md, scope, i, n, used)
	}
	f := &descriptorpb.FieldDescriptorProto{
		Name: &name, JsonName: &name, Number: &num, Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		Options: &descriptorpb.FieldOptions{Features: &descriptorpb.FeatureSet{}},
	}
	switch pick := m.r.IntN(10); {
	case pick < 3 && i+1 < n:
		j := i + 1 + m.r.IntN(n-i-1)
		m.demand[i] = m.demand[i] || m.demand[j]
		f.TypeName = proto.String(fmt.Sprintf(".r.M%d", j))
		f.Type = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum()
		if m.chance(30) && m.syntax == "editions" {
			f.Options.Features.MessageEncoding = descriptorpb.FeatureSet_DELIMITED.Enum()
		}
		if m.chance(30) && m.syntax == "proto2" {
			f.Type = descriptorpb.FieldDescriptorProto_TYPE_GROUP.Enum()
			group := fmt.Sprintf("F%d", num)
			f.TypeName = proto.String(scope + "." + group)
			md.NestedType = append(md.NestedType, m.message(scope, group, i, 0))
		}
	case pick == 3:
		f.TypeName = proto.String(fmt.Sprintf(".r.E%d", m.r.IntN(2)))
		f.Type = descriptorpb.FieldDescriptorProto_TYPE_ENUM.Enum()
	default:
		f.Type = scalarTypes[m.r.IntN(len(scalarTypes))].Enum()
		if f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_STRING && m.syntax == "editions" && m.chance(40) {
			f.Options.Features.Utf8Validation = descriptorpb.FeatureSet_NONE.Enum()
		}
	}
	return f
}

// label makes a field repeated, a map, optional or required.
func (m *schemaMaker) label(md *descriptorpb.DescriptorProto, scope string, f *descriptorpb.FieldDescriptorProto, i int) {
	isMessage := f.TypeName != nil && f.GetType() != descriptorpb.FieldDescriptorProto_TYPE_ENUM
	isText := f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_STRING || f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_BYTES
	switch pick := m.r.IntN(10); {
	case pick < 3:
		f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
		if isMessage || isText {
			return
		}
		if m.syntax == "editions" && m.chance(50) {
			f.Options.Features.RepeatedFieldEncoding = descriptorpb.FeatureSet_EXPANDED.Enum()
		} else if m.syntax != "editions" && m.chance(60) {
			f.Options.Packed = proto.Bool(m.chance(50))
		}
	case pick == 3 && f.GetType() != descriptorpb.FieldDescriptorProto_TYPE_GROUP:
		m.makeMap(md, scope, f)
	case m.syntax == "proto3":
		f.Proto3Optional = proto.Bool(m.chance(40))
	case m.chance(10):
		m.demand[i] = true
		if m.syntax == "proto2" {
			f.Label = descriptorpb.FieldDescriptorProto_LABEL_REQUIRED.Enum()
		} else {
			f.Options.Features.FieldPresence = descriptorpb.FeatureSet_LEGACY_REQUIRED.Enum()
		}
	case m.syntax == "editions" && !isMessage && m.chance(40):
		if f.TypeName != nil && m.file.EnumType[f.GetTypeName()[4]-'0'].Options != nil {
			return // a closed enum must have presence
		}
		f.Options.Features.FieldPresence = descriptorpb.FeatureSet_IMPLICIT.Enum()
	case m.syntax == "proto2" && !isMessage && m.chance(40):
		m.demand[i] = true
		f.DefaultValue = proto.String(map[bool]string{true: "true", false: "7"}[f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_BOOL])
		if f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_ENUM {
			f.DefaultValue = proto.String(fmt.Sprintf("E%c_V2", f.GetTypeName()[4]))
		}
	}
}

func (m *schemaMaker) makeMap(md *descriptorpb.DescriptorProto, scope string, f *descriptorpb.FieldDescriptorProto) {
	keys := []descriptorpb.FieldDescriptorProto_Type{3, 4, 5, 6, 7, 8, 9, 13, 15, 16, 17, 18}
	name := fmt.Sprintf("F%dEntry", f.GetNumber())
	optional := descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()
	md.NestedType = append(md.NestedType, &descriptorpb.DescriptorProto{
		Name:    &name,
		Options: &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)},
		Field: []*descriptorpb.FieldDescriptorProto{
			{Name: proto.String("key"), JsonName: proto.String("key"), Number: proto.Int32(1), Label: optional, Type: keys[m.r.IntN(len(keys))].Enum()},
			{Name: proto.String("value"), JsonName: proto.String("value"), Number: proto.Int32(2), Label: optional, Type: f.Type, TypeName: f.TypeName},
		},
	})
	f.Options = nil
	f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	f.Type = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum()
	f.TypeName = proto.String(scope + "." + name)
}
