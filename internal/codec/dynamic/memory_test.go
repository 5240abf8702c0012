package dynamic_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/codec/dynamic"
	"github.com/dyngate/dyngate/internal/codec/wire"
)

// wideType makes a message type with a list, a map and a field of a message of
// 500 fields.
func wideType(t testing.TB) protoreflect.MessageDescriptor {
	t.Helper()
	wide := &descriptorpb.DescriptorProto{Name: proto.String("Wide")}
	for i := range 500 {
		wide.Field = append(wide.Field, &descriptorpb.FieldDescriptorProto{
			Name: proto.String(fmt.Sprint("f", i)), Number: proto.Int32(int32(i + 1)),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(),
		})
	}
	message := func(name string, number int32, label descriptorpb.FieldDescriptorProto_Label, typ string) *descriptorpb.FieldDescriptorProto {
		return &descriptorpb.FieldDescriptorProto{
			Name: &name, Number: &number, Label: label.Enum(), Type: descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), TypeName: &typ,
		}
	}
	const one, many = descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL, descriptorpb.FieldDescriptorProto_LABEL_REPEATED
	key := message("key", 1, one, "")
	key.Type, key.TypeName = descriptorpb.FieldDescriptorProto_TYPE_INT32.Enum(), nil
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("w.proto"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{wide, {
			Name:  proto.String("M"),
			Field: []*descriptorpb.FieldDescriptorProto{message("list", 1, many, ".Wide"), message("map", 2, many, ".M.MapEntry"), message("deep", 3, many, ".M"), message("one", 4, one, ".Wide")},
			NestedType: []*descriptorpb.DescriptorProto{{
				Name: proto.String("MapEntry"), Field: []*descriptorpb.FieldDescriptorProto{key, message("value", 2, one, ".Wide")},
				Options: &descriptorpb.MessageOptions{MapEntry: proto.Bool(true)},
			}},
		}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return file.Messages().ByName("M")
}

// TestMemoryIsBounded reads a megabyte of small messages of a wide type: they would
// take gigabytes.
func TestMemoryIsBounded(t *testing.T) {
	typ := new(dynamic.Types).Message(wideType(t))
	var entries bytes.Buffer
	for i := range 150_000 {
		key := appendVarint([]byte{8}, i)
		entries.Write(append([]byte{0x12, byte(len(key))}, key...))
	}
	for name, b := range map[string][]byte{
		"list":   bytes.Repeat([]byte{0x0a, 0x00}, 500_000),
		"map":    entries.Bytes(),
		"fields": bytes.Repeat([]byte{0x1a, 0x02, 0x22, 0x00}, 250_000),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := dynamic.Options{}.Unmarshal(b, typ.NewMessage())
		runtime.ReadMemStats(&after)
		if !errors.Is(err, wire.ErrMalformed) || !strings.Contains(err.Error(), "too much memory") {
			t.Errorf("%s: %v", name, err)
		}
		if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 300 {
			t.Errorf("%s: %d bytes take %d MiB", name, len(b), n)
		}
	}
	few := bytes.Repeat([]byte{0x0a, 0x02, 0x0a, 0x00}, 5000)
	if err := (dynamic.Options{}).Unmarshal(few, typ.NewMessage()); err != nil {
		t.Errorf("5000 messages: %v", err)
	}
}
