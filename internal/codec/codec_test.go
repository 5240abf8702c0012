package codec_test

import (
	"errors"
	"fmt"
	"testing"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/dyngate/dyngate/internal/codec"
)

// chain makes n message types, each of which has the next as its only field.
func chain(t testing.TB, n int) protoreflect.MessageDescriptor {
	t.Helper()
	fd := &descriptorpb.FileDescriptorProto{Name: proto.String("c.proto"), Syntax: proto.String("proto3")}
	for i := range n {
		m := &descriptorpb.DescriptorProto{Name: proto.String(fmt.Sprint("M", i))}
		if i+1 < n {
			m.Field = []*descriptorpb.FieldDescriptorProto{{
				Name: proto.String("f"), Number: proto.Int32(1), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
				Type: descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), TypeName: proto.String(fmt.Sprint(".M", i+1)),
			}}
		}
		fd.MessageType = append(fd.MessageType, m)
	}
	file, err := protodesc.NewFile(fd, nil)
	if err != nil {
		t.Fatal(err)
	}
	return file.Messages().Get(0)
}

// TestChainsOfTypes reads messages of types that lead on and on: compiling them
// must not end the process, and reading them keeps to the limit of nesting.
func TestChainsOfTypes(t *testing.T) {
	for _, n := range []int{3, 200, 300_000} {
		c := codec.BindDynamic(chain(t, n), nil)
		if _, err := c.Unmarshal(mem.BufferSlice{mem.SliceBuffer{0x0a, 0x02, 0x0a, 0x00}}); err != nil {
			t.Errorf("%d types: %v", n, err)
		}
		var deep []byte
		for range 150 {
			next := append([]byte{0x0a}, byte(len(deep)))
			if len(deep) >= 128 {
				next = []byte{0x0a, byte(len(deep)) | 0x80, byte(len(deep) >> 7)}
			}
			deep = append(next, deep...)
		}
		if _, err := c.Unmarshal(mem.BufferSlice{mem.SliceBuffer(deep)}); n > 3 && !errors.Is(err, codec.ErrMalformed) {
			t.Errorf("%d types: 150 levels are read: %v", n, err)
		}
	}
}

func TestBindRefusesOtherTypes(t *testing.T) {
	md := new(wrapperspb.StringValue).ProtoReflect().Descriptor()
	if _, err := codec.Bind[emptypb.Empty](md, nil, codec.Options{}); err == nil {
		t.Error("another generated message is taken")
	}
	if _, err := codec.Bind[struct{ Other string }](md, nil, codec.Options{}); err == nil {
		t.Error("a struct that does not fit is taken")
	}
	c, err := codec.Bind[wrapperspb.StringValue](md, nil, codec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	buf, err := c.Marshal(wrapperspb.String("x"))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := c.Unmarshal(mem.BufferSlice{buf}); err != nil || v.GetValue() != "x" {
		t.Errorf("got %v, %v", v, err)
	}
}
