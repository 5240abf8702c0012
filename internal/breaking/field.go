package breaking

import (
	"fmt"
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/typename"
)

// fields compares the fields that two messages have of one number.
func (c *comparison) fields(old, now protoreflect.FieldDescriptors) {
	for i := range old.Len() {
		if n := now.ByNumber(old.Get(i).Number()); n != nil {
			check(c, fieldRules, old.Get(i), n)
		}
	}
}

var fieldRules = []rule[protoreflect.FieldDescriptor]{
	{"FIELD_SAME_NAME", func(old, now protoreflect.FieldDescriptor) []finding {
		if ownName(old) == ownName(now) {
			return nil
		}
		return breaks("%s was renamed to %s", describe(old), ownName(now))
	}},
	{"FIELD_SAME_JSON_NAME", func(old, now protoreflect.FieldDescriptor) []finding {
		if old.IsExtension() || old.JSONName() == now.JSONName() {
			return nil
		}
		return breaks("the JSON name of %s changed from %q to %q", describe(now), old.JSONName(), now.JSONName())
	}},
	{"FIELD_SAME_ONEOF", func(old, now protoreflect.FieldDescriptor) []finding {
		was, is := oneofOf(old), oneofOf(now)
		if old.IsExtension() || was == is {
			return nil
		}
		return breaks("%s moved from %s to %s", describe(now), was, is)
	}},
	{"FIELD_SAME_DEFAULT", func(old, now protoreflect.FieldDescriptor) []finding {
		if !hasDefault(old) || !hasDefault(now) || sameDefault(old, now) {
			return nil
		}
		return breaks("the default of %s changed from %s to %s", describe(now), showDefault(old), showDefault(now))
	}},
	{"FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY", func(old, now protoreflect.FieldDescriptor) []finding {
		was, is := cardinality(old), cardinality(now)
		if was == is {
			return nil
		}
		return breaks("%s changed from %s to %s", describe(now), was, is)
	}},
	{"FIELD_WIRE_JSON_COMPATIBLE_TYPE", func(old, now protoreflect.FieldDescriptor) []finding {
		if compatible(old, now) {
			return nil
		}
		return breaks("the type of %s changed from %s to %s", describe(now), typename.OfElement(old), typename.OfElement(now))
	}},
}

// describe names a field in messages.
func describe(f protoreflect.FieldDescriptor) string {
	if f.IsExtension() {
		return fmt.Sprintf("extension %d (%s) of %s", f.Number(), f.FullName(), f.ContainingMessage().FullName())
	}
	return fmt.Sprintf("field %d (%s) of %s", f.Number(), f.Name(), f.ContainingMessage().FullName())
}

// ownName is the name that a field has in JSON and text: that of an extension is
// its full one.
func ownName(f protoreflect.FieldDescriptor) string {
	if f.IsExtension() {
		return string(f.FullName())
	}
	return string(f.Name())
}

// oneofOf names the oneof of a field. The synthetic oneof of an optional field does
// not count.
func oneofOf(f protoreflect.FieldDescriptor) string {
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		return "oneof " + string(o.Name())
	}
	return "no oneof"
}

// cardinality names the differences that matter on the wire and in JSON. Presence
// does not.
func cardinality(f protoreflect.FieldDescriptor) string {
	switch {
	case f.IsMap():
		return "map"
	case f.IsList():
		return "repeated"
	case f.Cardinality() == protoreflect.Required:
		return "required"
	}
	return "optional"
}

func hasDefault(f protoreflect.FieldDescriptor) bool {
	return f.Cardinality() != protoreflect.Repeated && f.Message() == nil
}

// sameDefault compares defaults across types that can replace each other.
func sameDefault(old, now protoreflect.FieldDescriptor) bool {
	was, is := plainDefault(old), plainDefault(now)
	zero := func(s string) bool { return s == "" || s == "0" }
	return was == is || zero(was) && zero(is)
}

// plainDefault is a default as text, in the same way for all types of numbers.
func plainDefault(f protoreflect.FieldDescriptor) string {
	switch v := f.Default().Interface().(type) {
	case bool:
		if v {
			return "1"
		}
		return "0"
	case []byte:
		return string(v)
	case float32:
		return strconv.FormatFloat(float64(v), 'f', -1, 32)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

func showDefault(f protoreflect.FieldDescriptor) string {
	switch f.Kind() {
	case protoreflect.StringKind, protoreflect.BytesKind:
		return strconv.Quote(plainDefault(f))
	case protoreflect.EnumKind:
		if v := f.Enum().Values().ByNumber(f.Default().Enum()); v != nil {
			return string(v.Name())
		}
	}
	return f.Default().String()
}
