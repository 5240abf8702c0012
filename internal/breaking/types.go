package breaking

import "google.golang.org/protobuf/reflect/protoreflect"

// writtenAs are the kinds that look like another one both on the wire and in
// JSON. All others differ: 64-bit numbers are strings in JSON, a bool is not a
// number there, zigzag and fixed width differ on the wire.
var writtenAs = map[protoreflect.Kind]protoreflect.Kind{
	protoreflect.Uint32Kind:   protoreflect.Int32Kind,
	protoreflect.Uint64Kind:   protoreflect.Int64Kind,
	protoreflect.Sfixed32Kind: protoreflect.Fixed32Kind,
	protoreflect.Sfixed64Kind: protoreflect.Fixed64Kind,
}

// compatible reports whether each type can read every value that the other one
// writes.
func compatible(old, now protoreflect.FieldDescriptor) bool {
	if old.IsMap() && now.IsMap() {
		return compatible(old.MapKey(), now.MapKey()) && compatible(old.MapValue(), now.MapValue())
	}
	written := func(k protoreflect.Kind) protoreflect.Kind {
		if as, ok := writtenAs[k]; ok {
			return as
		}
		return k
	}
	if written(old.Kind()) != written(now.Kind()) {
		return false
	}
	switch now.Kind() {
	case protoreflect.EnumKind:
		return old.Enum().FullName() == now.Enum().FullName() || movedEnum(old.Enum(), now.Enum())
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return old.Message().FullName() == now.Message().FullName()
	}
	return true
}

// movedEnum reports whether an enum of another full name is the old one, maybe
// with more values.
func movedEnum(old, now protoreflect.EnumDescriptor) bool {
	if old.Name() != now.Name() {
		return false
	}
	for i := range old.Values().Len() {
		v := old.Values().Get(i)
		if n := now.Values().ByName(v.Name()); n == nil || n.Number() != v.Number() {
			return false
		}
	}
	return true
}
