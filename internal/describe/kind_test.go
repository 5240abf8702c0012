package describe

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

func TestKind(t *testing.T) {
	field := descriptorpb.File_google_protobuf_descriptor_proto.Messages().ByName("FieldDescriptorProto")
	for want, d := range map[string]protoreflect.Descriptor{
		"file":       field.ParentFile(),
		"message":    field,
		"field":      field.Fields().Get(0),
		"enum":       field.Enums().Get(0),
		"enum value": field.Enums().Get(0).Values().Get(0),
	} {
		if got := Kind(d); got != want {
			t.Errorf("%s is a %q, want %q", d.FullName(), got, want)
		}
	}
}

// TestUses has types that use each other, in and outside of messages, and in maps.
func TestUses(t *testing.T) {
	const optional, repeated = descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL, descriptorpb.FieldDescriptorProto_LABEL_REPEATED
	number := int32(0)
	field := func(name, typ string, label descriptorpb.FieldDescriptorProto_Label) *descriptorpb.FieldDescriptorProto {
		number++
		f := &descriptorpb.FieldDescriptorProto{Name: &name, TypeName: &typ, Label: label.Enum(), Number: &[]int32{number}[0], Type: descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum()}
		if typ == ".p.Color" {
			f.Type = descriptorpb.FieldDescriptorProto_TYPE_ENUM.Enum()
		}
		return f
	}
	name := func(s string) *string { return &s }
	key := &descriptorpb.FieldDescriptorProto{Name: name("key"), Number: &[]int32{1}[0], Label: optional.Enum(), Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum()}
	value := field("value", ".p.Far", optional)
	value.Number = &[]int32{2}[0]
	fd, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: name("a.proto"), Package: name("p"),
		EnumType: []*descriptorpb.EnumDescriptorProto{{Name: name("Color"), Value: []*descriptorpb.EnumValueDescriptorProto{{Name: name("RED"), Number: new(int32)}}}},
		MessageType: []*descriptorpb.DescriptorProto{
			{
				Name:  name("In"),
				Field: []*descriptorpb.FieldDescriptorProto{field("inner", ".p.In.Inner", optional), field("far", ".p.In.FarEntry", repeated), field("other", ".p.Other.Nested", optional)},
				NestedType: []*descriptorpb.DescriptorProto{
					{Name: name("Inner"), Field: []*descriptorpb.FieldDescriptorProto{field("self", ".p.In", optional), field("color", ".p.Color", repeated)}},
					{Name: name("FarEntry"), Options: &descriptorpb.MessageOptions{MapEntry: &[]bool{true}[0]}, Field: []*descriptorpb.FieldDescriptorProto{key, value}},
				},
			},
			{Name: name("Far"), Field: []*descriptorpb.FieldDescriptorProto{field("far", ".p.Far", optional)}},
			{Name: name("Other"), NestedType: []*descriptorpb.DescriptorProto{{Name: name("Nested")}}},
			{Name: name("Unused")},
		},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range Uses(fd.Messages().ByName("In"), fd.Messages().ByName("In")) {
		got = append(got, string(d.FullName()))
	}
	if want := []string{"p.In", "p.Far", "p.Other.Nested", "p.Color"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
