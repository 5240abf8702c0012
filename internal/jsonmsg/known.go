package jsonmsg

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
)

// isWellKnown reports whether an Any holds the message's JSON under "value".
func isWellKnown(md protoreflect.MessageDescriptor) bool {
	return wellknown.Of(md.FullName()).Kind != wellknown.None
}

// takesNull reports whether null is a value of the field, and not its absence.
func takesNull(fd protoreflect.FieldDescriptor) bool {
	return wellknown.IsNull(fd) || fd.Message() != nil && wellknown.Of(fd.Message().FullName()).Kind == wellknown.Value
}

// wrapper returns the well-known message whose JSON is that of a scalar of this kind.
func wrapper(kind protoreflect.Kind) proto.Message {
	switch kind {
	case protoreflect.BoolKind:
		return new(wrapperspb.BoolValue)
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind, protoreflect.EnumKind:
		return new(wrapperspb.Int32Value)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return new(wrapperspb.Int64Value)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return new(wrapperspb.UInt32Value)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return new(wrapperspb.UInt64Value)
	case protoreflect.FloatKind:
		return new(wrapperspb.FloatValue)
	case protoreflect.DoubleKind:
		return new(wrapperspb.DoubleValue)
	case protoreflect.BytesKind:
		return new(wrapperspb.BytesValue)
	}
	return new(wrapperspb.StringValue)
}
