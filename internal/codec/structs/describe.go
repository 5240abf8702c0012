package structs

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
	"github.com/dyngate/dyngate/internal/typename"
)

// describe names the type of a message field, and the oneof that it is in.
func describe(fd protoreflect.FieldDescriptor) string {
	if inOneof(fd) {
		return typename.OfField(fd) + " in the oneof " + string(fd.ContainingOneof().Name())
	}
	return typename.OfField(fd)
}

// inOneof reports whether fd is declared in a oneof.
func inOneof(fd protoreflect.FieldDescriptor) bool {
	od := fd.ContainingOneof()
	return od != nil && !od.IsSynthetic()
}

// wants lists the Go types that can hold a field.
func wants(fd protoreflect.FieldDescriptor) string {
	switch {
	case fd.IsMap():
		return "map[" + wantsElem(fd.MapKey())[0] + "]" + wantsItem(fd.MapValue())[0]
	case fd.IsList():
		var all []string
		for _, t := range wantsItem(fd) {
			all = append(all, "[]"+t)
		}
		return either(all)
	}
	if fd.Message() != nil && wantsMessage(fd.Message().FullName()) == nil {
		if inOneof(fd) {
			return "a pointer to a struct for " + string(fd.Message().FullName())
		}
		return "a struct for " + string(fd.Message().FullName()) + ", or a pointer to one"
	}
	all := wantsElem(fd)
	var pointers []string
	for _, t := range all {
		if !strings.HasPrefix(t, "[]") && !strings.HasPrefix(t, "map[") {
			pointers = append(pointers, "*"+t)
		}
	}
	if inOneof(fd) {
		for _, t := range all {
			if strings.HasPrefix(t, "[]") || strings.HasPrefix(t, "map[") {
				pointers = append(pointers, t)
			}
		}
		return either(pointers)
	}
	if len(pointers) > 0 {
		all = append(all[:1:1], append(pointers[:1:1], all[1:]...)...)
	}
	return either(all)
}

// wantsItem lists the Go types for an element of a list or a value of a map.
func wantsItem(fd protoreflect.FieldDescriptor) []string {
	if fd.Message() == nil {
		return wantsElem(fd)
	}
	if known := wantsMessage(fd.Message().FullName()); known != nil {
		return known
	}
	return []string{"T, where T is a struct for " + string(fd.Message().FullName())}
}

func either(all []string) string {
	if len(all) == 1 {
		return all[0]
	}
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + " or " + all[last]
}

// wantsElem lists the Go types for one value, the usual one first.
func wantsElem(fd protoreflect.FieldDescriptor) []string {
	switch fd.Kind() {
	case protoreflect.BytesKind:
		return []string{"[]byte"}
	case protoreflect.StringKind:
		return []string{"string", "[]byte"}
	case protoreflect.EnumKind:
		return []string{"int32", "string"}
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return wantsMessage(fd.Message().FullName())
	case protoreflect.FloatKind:
		return []string{"float32", "float64"}
	}
	narrowest := numberTypes[fd.Kind()].String()
	switch narrowest {
	case "int32", "uint32":
		return []string{narrowest, narrowest[:len(narrowest)-2] + "64", narrowest[:len(narrowest)-2]}
	case "int64", "uint64":
		return []string{narrowest, narrowest[:len(narrowest)-2]}
	}
	return []string{narrowest}
}

// wantsMessage lists the Go types for a well-known type; nil for other messages.
func wantsMessage(name protoreflect.FullName) []string {
	if t := wellknown.Of(name).GoType; t != "" {
		return []string{t}
	}
	return nil
}
