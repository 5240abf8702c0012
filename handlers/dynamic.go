package handlers

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec"
)

// Dynamic is a message of any type, read and built by reflection, for handlers
// of methods that are only known at run time. [Method.NewReply] returns an
// empty one.
//
//	name := in.Get(in.Descriptor().Fields().ByName("name")).String()
//	out := handlers.MethodFrom(ctx).NewReply()
//	out.Set(out.Descriptor().Fields().ByName("message"), protoreflect.ValueOfString("Hello, "+name))
type Dynamic = codec.Dynamic

// NewReply returns an empty message of the method's response type.
func (m *Method) NewReply() *Dynamic {
	return m.replies.New(m.Output(), m.Types)
}

// NewMessage returns an empty message of any type in the import closure of the
// method's file, for error details of the schema's own types:
//
//	detail, err := handlers.MethodFrom(ctx).NewMessage("shop.OutOfStock")
//	...
//	st, err := status.New(codes.FailedPrecondition, "sold out").
//		WithDetails(protoadapt.MessageV1Of(detail.Interface()))
func (m *Method) NewMessage(name protoreflect.FullName) (*Dynamic, error) {
	mt, err := m.Types.FindMessageByName(name)
	if err != nil {
		return nil, fmt.Errorf("message %s is not in the schema of %s: %w", name, m.Path(), err)
	}
	return &Dynamic{Message: mt.New()}, nil
}
