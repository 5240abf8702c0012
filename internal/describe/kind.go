package describe

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Kind returns what a declaration is, in words: "message", "enum value".
func Kind(d protoreflect.Descriptor) string {
	switch d := d.(type) {
	case protoreflect.FileDescriptor:
		return "file"
	case protoreflect.ServiceDescriptor:
		return "service"
	case protoreflect.MethodDescriptor:
		return "method"
	case protoreflect.MessageDescriptor:
		return "message"
	case protoreflect.EnumDescriptor:
		return "enum"
	case protoreflect.EnumValueDescriptor:
		return "enum value"
	case protoreflect.OneofDescriptor:
		return "oneof"
	case protoreflect.FieldDescriptor:
		if d.IsExtension() {
			return "extension"
		}
		return "field"
	}
	return "declaration"
}

// Uses returns the messages, then the messages and enums that their fields use,
// directly or not, in the order of use. Types that the source of another one in
// the list shows, because they are declared inside it, are left out. So are types
// of package google.protobuf, unless they are among the messages.
func Uses(messages ...protoreflect.MessageDescriptor) []protoreflect.Descriptor {
	var found []protoreflect.Descriptor
	seen := make(map[protoreflect.FullName]bool)
	add := func(d protoreflect.Descriptor) {
		if !seen[d.FullName()] && !d.IsPlaceholder() {
			seen[d.FullName()] = true
			found = append(found, d)
		}
	}
	for _, md := range messages {
		add(md)
	}
	for next := 0; next < len(found); { // found grows
		md, ok := found[next].(protoreflect.MessageDescriptor)
		next++
		if !ok {
			continue
		}
		for j := range md.Fields().Len() {
			if d := typeOf(md.Fields().Get(j)); d != nil && !strings.HasPrefix(string(d.FullName()), "google.protobuf.") {
				add(d)
			}
		}
	}
	shown := found[:0]
	for _, d := range found {
		if !insideAny(d, seen) {
			shown = append(shown, d)
		}
	}
	return shown
}

// typeOf returns the message or enum of a field's values; nil for scalars.
func typeOf(fd protoreflect.FieldDescriptor) protoreflect.Descriptor {
	if fd.IsMap() {
		fd = fd.MapValue()
	}
	switch {
	case fd.Message() != nil:
		return fd.Message()
	case fd.Enum() != nil:
		return fd.Enum()
	}
	return nil
}

// insideAny reports whether d is declared inside one of the messages.
func insideAny(d protoreflect.Descriptor, messages map[protoreflect.FullName]bool) bool {
	for parent := d.Parent(); parent != nil; parent = parent.Parent() {
		if _, ok := parent.(protoreflect.MessageDescriptor); ok && messages[parent.FullName()] {
			return true
		}
	}
	return false
}
