// Package randproto makes random schemas, and random messages of them on the wire,
// for the tests of the packages structs and dynamic.
package randproto

import (
	"fmt"
	"math/rand/v2"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// Schema is a random .proto file. Its first message leads to the others.
type Schema struct {
	Rand       *rand.Rand
	File       *descriptorpb.FileDescriptorProto
	Descriptor protoreflect.FileDescriptor

	// Demands tells of each message whether required fields or defaults are in
	// it or below.
	Demands []bool

	syntax string
	opts   Options
}

// Options say what schemas have beyond scalars, enums, messages, groups, oneofs,
// lists and maps.
type Options struct {
	Recursive  bool // messages nest each other and themselves, not only later ones
	Extensions bool // where the syntax has them
}

var scalarTypes = []descriptorpb.FieldDescriptorProto_Type{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 18}

// New makes the schema that belongs to a seed.
func New(seed uint64, opts Options) *Schema {
	m := &Schema{Rand: rand.New(rand.NewPCG(seed, 1)), opts: opts}
	m.syntax = []string{"proto2", "proto3", "editions"}[m.Rand.IntN(3)]
	m.File = &descriptorpb.FileDescriptorProto{Name: proto.String("r.proto"), Package: proto.String("r"), Syntax: &m.syntax}
	if m.syntax == "editions" {
		m.File.Edition = descriptorpb.Edition_EDITION_2023.Enum()
	}
	for i := range 2 {
		m.File.EnumType = append(m.File.EnumType, m.enum(i))
	}
	n := 1 + m.Rand.IntN(4)
	m.File.MessageType = make([]*descriptorpb.DescriptorProto, n)
	m.Demands = make([]bool, n)
	for i := n - 1; i >= 0; i-- {
		m.File.MessageType[i] = m.message(".r", fmt.Sprintf("M%d", i), i, n)
	}
	if opts.Extensions && m.syntax != "proto3" {
		m.extensions(n)
	}
	fd, err := protodesc.NewFile(m.File, nil)
	if err != nil {
		panic(fmt.Sprintf("seed %d: %v\n%v", seed, err, m.File))
	}
	m.Descriptor = fd
	return m
}

// firstExtension is a number that fields hardly ever have.
const firstExtension = 300_000_000

// extensions gives the first message a range of extensions, and some in it.
func (m *Schema) extensions(n int) {
	m.File.MessageType[0].ExtensionRange = []*descriptorpb.DescriptorProto_ExtensionRange{{Start: proto.Int32(firstExtension), End: proto.Int32(firstExtension + 10)}}
	for i := range 1 + m.Rand.IntN(6) {
		num := int32(firstExtension + i)
		f := m.typed(&descriptorpb.DescriptorProto{}, ".r", n, num, 0)
		f.Name, f.JsonName = proto.String(fmt.Sprintf("x%d", i)), nil
		f.Extendee = proto.String(".r.M0")
		if f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_GROUP {
			continue // its type would have to be declared beside it
		}
		if m.Chance(40) {
			f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
		}
		m.File.Extension = append(m.File.Extension, f)
	}
}

// Chance is true in so many of a hundred cases.
func (m *Schema) Chance(percent int) bool { return m.Rand.IntN(100) < percent }

func (m *Schema) enum(i int) *descriptorpb.EnumDescriptorProto {
	e := &descriptorpb.EnumDescriptorProto{Name: proto.String(fmt.Sprintf("E%d", i))}
	for k, n := range []int32{0, 1, 5, -3, 1000} {
		name := fmt.Sprintf("E%d_V%d", i, k)
		e.Value = append(e.Value, &descriptorpb.EnumValueDescriptorProto{Name: &name, Number: proto.Int32(n)})
	}
	if m.syntax == "editions" && m.Chance(50) {
		e.Options = &descriptorpb.EnumOptions{Features: &descriptorpb.FeatureSet{EnumType: descriptorpb.FeatureSet_CLOSED.Enum()}}
	}
	return e
}

// message makes message i of n, or a group in it.
func (m *Schema) message(scope, name string, i, n int) *descriptorpb.DescriptorProto {
	md := &descriptorpb.DescriptorProto{Name: &name}
	scope += "." + name
	used := map[int32]bool{}
	oneofs := m.Rand.IntN(3)
	if m.Chance(70) {
		oneofs = 0
	}
	for k := range oneofs {
		md.OneofDecl = append(md.OneofDecl, &descriptorpb.OneofDescriptorProto{Name: proto.String(fmt.Sprintf("o%d", k))})
		for range 2 + m.Rand.IntN(2) {
			f := m.field(md, scope, i, n, used)
			f.OneofIndex = proto.Int32(int32(k))
			md.Field = append(md.Field, f)
		}
	}
	for range 1 + m.Rand.IntN(8) {
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
func (m *Schema) field(md *descriptorpb.DescriptorProto, scope string, i, n int, used map[int32]bool) *descriptorpb.FieldDescriptorProto {
	num := int32(1 + m.Rand.IntN(15))
	for used[num] {
		num = int32(1 + m.Rand.IntN([]int{20, 200, 18000, 1<<29 - 1}[m.Rand.IntN(4)]))
	}
	used[num] = true
	if num >= 19000 && num < 20000 {
		return m.field(md, scope, i, n, used)
	}
	return m.typed(md, scope, n, num, i)
}

// typed makes a singular field of a random type with a number, for message i of n.
func (m *Schema) typed(md *descriptorpb.DescriptorProto, scope string, n int, num int32, i int) *descriptorpb.FieldDescriptorProto {
	name := fmt.Sprintf("f%d", num)
	f := &descriptorpb.FieldDescriptorProto{
		Name: &name, JsonName: &name, Number: &num, Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		Options: &descriptorpb.FieldOptions{Features: &descriptorpb.FeatureSet{}},
	}
	switch pick := m.Rand.IntN(10); {
	case pick < 3 && (i+1 < n || m.opts.Recursive && n > 0):
		j := m.other(i, n)
		m.Demands[i] = m.Demands[i] || m.Demands[j]
		f.TypeName = proto.String(fmt.Sprintf(".r.M%d", j))
		f.Type = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum()
		if m.Chance(30) && m.syntax == "editions" {
			f.Options.Features.MessageEncoding = descriptorpb.FeatureSet_DELIMITED.Enum()
		}
		if m.Chance(30) && m.syntax == "proto2" {
			f.Type = descriptorpb.FieldDescriptorProto_TYPE_GROUP.Enum()
			group := fmt.Sprintf("F%d", num)
			f.TypeName = proto.String(scope + "." + group)
			md.NestedType = append(md.NestedType, m.message(scope, group, i, 0))
		}
	case pick == 3:
		f.TypeName = proto.String(fmt.Sprintf(".r.E%d", m.Rand.IntN(2)))
		f.Type = descriptorpb.FieldDescriptorProto_TYPE_ENUM.Enum()
	default:
		f.Type = scalarTypes[m.Rand.IntN(len(scalarTypes))].Enum()
		if f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_STRING && m.syntax == "editions" && m.Chance(40) {
			f.Options.Features.Utf8Validation = descriptorpb.FeatureSet_NONE.Enum()
		}
	}
	return f
}

// other picks a message that message i of n nests.
func (m *Schema) other(i, n int) int {
	if m.opts.Recursive {
		return m.Rand.IntN(n)
	}
	return i + 1 + m.Rand.IntN(n-i-1)
}

// label makes a field repeated, a map, optional or required.
func (m *Schema) label(md *descriptorpb.DescriptorProto, scope string, f *descriptorpb.FieldDescriptorProto, i int) {
	isMessage := f.TypeName != nil && f.GetType() != descriptorpb.FieldDescriptorProto_TYPE_ENUM
	isText := f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_STRING || f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_BYTES
	switch pick := m.Rand.IntN(10); {
	case pick < 3:
		f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
		if isMessage || isText {
			return
		}
		if m.syntax == "editions" && m.Chance(50) {
			f.Options.Features.RepeatedFieldEncoding = descriptorpb.FeatureSet_EXPANDED.Enum()
		} else if m.syntax != "editions" && m.Chance(60) {
			f.Options.Packed = proto.Bool(m.Chance(50))
		}
	case pick == 3 && f.GetType() != descriptorpb.FieldDescriptorProto_TYPE_GROUP:
		m.makeMap(md, scope, f)
	case m.syntax == "proto3":
		f.Proto3Optional = proto.Bool(m.Chance(40))
	case m.Chance(10):
		m.Demands[i] = true
		if m.syntax == "proto2" {
			f.Label = descriptorpb.FieldDescriptorProto_LABEL_REQUIRED.Enum()
		} else {
			f.Options.Features.FieldPresence = descriptorpb.FeatureSet_LEGACY_REQUIRED.Enum()
		}
	case m.syntax == "editions" && !isMessage && m.Chance(40):
		if f.TypeName != nil && m.File.EnumType[f.GetTypeName()[4]-'0'].Options != nil {
			return // a closed enum must have presence
		}
		f.Options.Features.FieldPresence = descriptorpb.FeatureSet_IMPLICIT.Enum()
	case m.syntax == "proto2" && !isMessage && m.Chance(40):
		m.Demands[i] = true
		f.DefaultValue = proto.String(map[bool]string{true: "true", false: "7"}[f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_BOOL])
		if f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_ENUM {
			f.DefaultValue = proto.String(fmt.Sprintf("E%c_V2", f.GetTypeName()[4]))
		}
	}
}

func (m *Schema) makeMap(md *descriptorpb.DescriptorProto, scope string, f *descriptorpb.FieldDescriptorProto) {
	keys := []descriptorpb.FieldDescriptorProto_Type{3, 4, 5, 6, 7, 8, 9, 13, 15, 16, 17, 18}
	name := fmt.Sprintf("F%dEntry", f.GetNumber())
	optional := descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()
	md.NestedType = append(md.NestedType, &descriptorpb.DescriptorProto{
		Name:    &name,
		Options: &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)},
		Field: []*descriptorpb.FieldDescriptorProto{
			{Name: proto.String("key"), JsonName: proto.String("key"), Number: proto.Int32(1), Label: optional, Type: keys[m.Rand.IntN(len(keys))].Enum()},
			{Name: proto.String("value"), JsonName: proto.String("value"), Number: proto.Int32(2), Label: optional, Type: f.Type, TypeName: f.TypeName},
		},
	})
	f.Options = nil
	f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
	f.Type = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum()
	f.TypeName = proto.String(scope + "." + name)
}
