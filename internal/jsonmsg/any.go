package jsonmsg

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/runtime/protoiface"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/codec"
	"github.com/dyngate/dyngate/internal/codec/dynamic"
)

// AnyTypes returns types with which protojson and prototext can write m safely: the
// content of a google.protobuf.Any may be hostile. A panic while it is read is an
// error. So are Anys inside Anys if reading all of them would take more than a
// hundred times the bytes of m. A type URL with characters that a URL cannot have
// is unknown. The result must be used for one message only.
func AnyTypes(types codec.Types, m proto.Message) codec.Types {
	return &anyTypes{Types: orGlobal(types), left: budget(m)}
}

func budget(m proto.Message) int { return codec.MaxDepth * (proto.Size(m) + 1) }

type anyTypes struct {
	codec.Types
	left int  // bytes that may be read
	keep bool // bytes that cannot be read become an opaque message
}

func (t *anyTypes) FindMessageByURL(url string) (protoreflect.MessageType, error) {
	if strings.ContainsFunc(url, notInURL) {
		return t.unknown()
	}
	mt, err := t.Types.FindMessageByURL(url)
	if err != nil {
		return t.unknown()
	}
	return contentType{mt, t}, nil
}

func notInURL(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("./-_~:%+", r)
}

func (t *anyTypes) unknown() (protoreflect.MessageType, error) {
	if t.keep {
		return contentType{opaqueType, t}, nil
	}
	return nil, protoregistry.NotFound
}

// contentType is the type of the message in an Any. Its messages are of type content.
type contentType struct {
	protoreflect.MessageType
	types *anyTypes
}

func (t contentType) New() protoreflect.Message { return &content{t.MessageType.New(), t.types} }

// content is a message with an Unmarshal method of its own, like generated ones.
type content struct {
	protoreflect.Message
	types *anyTypes
}

func (c *content) Interface() protoreflect.ProtoMessage { return c }

func (c *content) ProtoReflect() protoreflect.Message { return c }

func (c *content) ProtoMethods() *protoiface.Methods {
	return &protoiface.Methods{Unmarshal: func(in protoiface.UnmarshalInput) (protoiface.UnmarshalOutput, error) {
		return protoiface.UnmarshalOutput{}, c.unmarshal(in.Buf)
	}}
}

func (c *content) unmarshal(b []byte) (err error) {
	if c.types.left -= len(b); c.types.left < 0 {
		return errors.New("messages of google.protobuf.Any are nested too deeply")
	}
	if c.Descriptor() != opaqueType.Descriptor() {
		err = c.read(b)
		if err == nil || !c.types.keep || isWellKnown(c.Descriptor()) {
			return err
		}
		c.Message = opaqueType.New()
	}
	c.Set(c.Descriptor().Fields().Get(0), protoreflect.ValueOfBytes(b))
	return nil
}

func (c *content) read(b []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return proto.UnmarshalOptions{AllowPartial: true, Resolver: c.types, RecursionLimit: codec.MaxDepth}.Unmarshal(b, c.Message.Interface())
}

// opaqueType is the type of messages of which only the bytes are known. No field of
// a schema has the JSON name of its field by default.
var opaqueType = func() protoreflect.MessageType {
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("dyngate/opaque.proto"),
		MessageType: []*descriptorpb.DescriptorProto{{
			Name: proto.String("OpaqueMessage"),
			Field: []*descriptorpb.FieldDescriptorProto{{
				Name:     proto.String("value"),
				JsonName: proto.String("@value"),
				Number:   proto.Int32(1),
				Label:    descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
				Type:     descriptorpb.FieldDescriptorProto_TYPE_BYTES.Enum(),
			}},
		}},
	}, nil)
	if err != nil {
		panic(err)
	}
	return new(dynamic.Types).Message(file.Messages().Get(0))
}()
