package jsonmsg

import (
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

var wrappers = []protoreflect.FullName{
	"google.protobuf.BoolValue",
	"google.protobuf.Int32Value",
	"google.protobuf.Int64Value",
	"google.protobuf.UInt32Value",
	"google.protobuf.UInt64Value",
	"google.protobuf.FloatValue",
	"google.protobuf.DoubleValue",
	"google.protobuf.StringValue",
	"google.protobuf.BytesValue",
}

// opaque messages have JSON of their own in which no field of a schema is named.
var opaque = append([]protoreflect.FullName{
	"google.protobuf.Timestamp",
	"google.protobuf.Duration",
	"google.protobuf.FieldMask",
	"google.protobuf.Struct",
	"google.protobuf.Value",
	"google.protobuf.ListValue",
}, wrappers...)

// IsWrapper reports whether a message is one of those that hold a scalar and whose
// JSON is the scalar's.
func IsWrapper(name protoreflect.FullName) bool { return slices.Contains(wrappers, name) }

func isOpaque(md protoreflect.MessageDescriptor) bool { return slices.Contains(opaque, md.FullName()) }

// isCustom reports whether an Any holds the message's JSON under "value".
func isCustom(name protoreflect.FullName) bool {
	return name == "google.protobuf.Any" || name == "google.protobuf.Empty" || slices.Contains(opaque, name)
}

// isNull reports whether the JSON of a field can only be null.
func isNull(fd protoreflect.FieldDescriptor) bool {
	return fd.Enum() != nil && fd.Enum().FullName() == "google.protobuf.NullValue"
}

// takesNull reports whether null is a value of the field, and not its absence.
func takesNull(fd protoreflect.FieldDescriptor) bool {
	return isNull(fd) || fd.Message() != nil && fd.Message().FullName() == "google.protobuf.Value"
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
