package codec

import "google.golang.org/protobuf/reflect/protoreflect"

// maxTypes limits how many types canExceed visits. The depth of a message type
// that reaches more counts as unbounded.
const maxTypes = 10_000

// canExceed reports whether messages of this type can be nested deeper than
// limit. Most types cannot, because they do not contain themselves.
func canExceed(md protoreflect.MessageDescriptor, limit int) bool {
	d := depths{}
	return d.of(md) > limit || len(d) > maxTypes
}

// unbounded is the depth of a type that contains itself, or may contain itself
// through an extension.
const unbounded = 1 << 30

// depths caches the maximum depth of messages of each type, including the
// outermost message. A type is unbounded while its depth is computed.
type depths map[protoreflect.MessageDescriptor]int

func (d depths) of(md protoreflect.MessageDescriptor) int {
	if depth, ok := d[md]; ok {
		return depth
	}
	if len(d) > maxTypes {
		return unbounded
	}
	d[md] = unbounded
	if md.ExtensionRanges().Len() > 0 {
		return unbounded
	}
	deepest := 0
	for i := range md.Fields().Len() {
		if sub := md.Fields().Get(i).Message(); sub != nil {
			deepest = max(deepest, d.of(sub))
		}
	}
	d[md] = min(deepest+1, unbounded)
	return d[md]
}

// exceeds reports whether m and the messages in it are nested deeper than
// limit.
func exceeds(m protoreflect.Message, limit int) bool {
	if limit <= 0 {
		return true
	}
	deep := false
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.IsMap():
			if fd.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
					deep = exceeds(v.Message(), limit-2) // the entry is a message too
					return !deep
				})
			}
		case fd.Message() == nil:
		case fd.IsList():
			for i := 0; i < v.List().Len() && !deep; i++ {
				deep = exceeds(v.List().Get(i).Message(), limit-1)
			}
		default:
			deep = exceeds(v.Message(), limit-1)
		}
		return !deep
	})
	return deep
}
