package jsonmsg

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/runtime/protoiface"

	"github.com/dyngate/dyngate/internal/codec"
)

// AnyTypes returns types with which prototext can write m safely: the
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
	left int // bytes that may be read
}

func (t *anyTypes) FindMessageByURL(url string) (protoreflect.MessageType, error) {
	if strings.ContainsFunc(url, notInURL) {
		return nil, protoregistry.NotFound
	}
	mt, err := t.Types.FindMessageByURL(url)
	if err != nil {
		return nil, err
	}
	return contentType{mt, t}, nil
}

func notInURL(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("./-_~:%+", r)
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
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return proto.UnmarshalOptions{AllowPartial: true, Resolver: c.types, RecursionLimit: codec.MaxDepth}.Unmarshal(b, c.Message.Interface())
}
