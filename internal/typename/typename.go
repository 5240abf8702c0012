// Package typename names protobuf types in messages for people.
package typename

import "google.golang.org/protobuf/reflect/protoreflect"

// OfField returns the type of a field as its .proto file declares it, with full
// names: "string", "repeated shop.Item", "map<string, shop.Item>",
// "enum shop.Color". A group, or a message that is delimited like one, is
// "delimited shop.Item": on the wire it is another type.
func OfField(fd protoreflect.FieldDescriptor) string {
	switch {
	case fd.IsMap():
		return "map<" + OfElement(fd.MapKey()) + ", " + OfElement(fd.MapValue()) + ">"
	case fd.IsList():
		return "repeated " + OfElement(fd)
	}
	return OfElement(fd)
}

// OfElement returns the type of a field's values: that of a repeated field
// without "repeated".
func OfElement(fd protoreflect.FieldDescriptor) string {
	switch {
	case fd.Enum() != nil:
		return "enum " + string(fd.Enum().FullName())
	case fd.IsMap():
		return OfField(fd)
	case fd.Kind() == protoreflect.GroupKind:
		return "delimited " + string(fd.Message().FullName())
	case fd.Message() != nil:
		return string(fd.Message().FullName())
	}
	return fd.Kind().String()
}
