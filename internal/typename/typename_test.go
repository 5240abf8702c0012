package typename_test

import (
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/typename"
)

const schema = `
	name: "a.proto" package: "shop"
	enum_type: {name: "Color" value: {name: "RED" number: 0}}
	message_type: {
		name: "Item"
		field: {name: "name" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL}
		field: {name: "sizes" number: 2 type: TYPE_SINT32 label: LABEL_REPEATED}
		field: {name: "color" number: 3 type: TYPE_ENUM type_name: ".shop.Color" label: LABEL_OPTIONAL}
		field: {name: "parts" number: 4 type: TYPE_MESSAGE type_name: ".shop.Item" label: LABEL_REPEATED}
		field: {name: "colors" number: 5 type: TYPE_MESSAGE type_name: ".shop.Item.ColorsEntry" label: LABEL_REPEATED}
		field: {name: "group" number: 6 type: TYPE_GROUP type_name: ".shop.Item.Group" label: LABEL_REPEATED}
		nested_type: {name: "Group"}
		nested_type: {
			name: "ColorsEntry" options: {map_entry: true}
			field: {name: "key" number: 1 type: TYPE_INT64 label: LABEL_OPTIONAL}
			field: {name: "value" number: 2 type: TYPE_ENUM type_name: ".shop.Color" label: LABEL_OPTIONAL}
		}
	}`

func TestNames(t *testing.T) {
	var file descriptorpb.FileDescriptorProto
	if err := prototext.Unmarshal([]byte(schema), &file); err != nil {
		t.Fatal(err)
	}
	fd, err := protodesc.NewFile(&file, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[protoreflect.Name][2]string{
		"name":   {"string", "string"},
		"sizes":  {"repeated sint32", "sint32"},
		"color":  {"enum shop.Color", "enum shop.Color"},
		"parts":  {"repeated shop.Item", "shop.Item"},
		"colors": {"map<int64, enum shop.Color>", "map<int64, enum shop.Color>"},
		"group":  {"repeated delimited shop.Item.Group", "delimited shop.Item.Group"},
	} {
		field := fd.Messages().ByName("Item").Fields().ByName(name)
		if got := [2]string{typename.OfField(field), typename.OfElement(field)}; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
