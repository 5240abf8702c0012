package breaking

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

var enumRules = []rule[protoreflect.EnumDescriptor]{
	{"ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED", removedValues("number", func(e protoreflect.EnumDescriptor, v *number) bool {
		return e.ReservedRanges().Has(v.number)
	})},
	{"ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED", removedValues("name", func(e protoreflect.EnumDescriptor, v *number) bool {
		return !slices.ContainsFunc(v.names, func(n protoreflect.Name) bool { return !e.ReservedNames().Has(n) })
	})},
	{"ENUM_VALUE_SAME_NAME", valueNames},
	{"ENUM_SAME_JSON_FORMAT", func(old, now protoreflect.EnumDescriptor) []finding { return jsonFormat(old, now) }},
	{"RESERVED_ENUM_NO_DELETE", func(old, now protoreflect.EnumDescriptor) []finding {
		return reservations("enum "+nameOf(now), ofEnum(old), ofEnum(now))
	}},
}

// number is a number of an enum with all its names: allow_alias permits several.
type number struct {
	number protoreflect.EnumNumber
	first  protoreflect.EnumValueDescriptor
	names  []protoreflect.Name
}

func (n *number) String() string {
	names := make([]string, len(n.names))
	for i, name := range n.names {
		names[i] = string(name)
	}
	return strings.Join(names, ", ")
}

// numbers returns the numbers of an enum in the order of declaration, and as a map.
func numbers(e protoreflect.EnumDescriptor) (list []*number, by map[protoreflect.EnumNumber]*number) {
	by = make(map[protoreflect.EnumNumber]*number)
	for i := range e.Values().Len() {
		v := e.Values().Get(i)
		n := by[v.Number()]
		if n == nil {
			n = &number{number: v.Number(), first: v}
			by[v.Number()] = n
			list = append(list, n)
		}
		n.names = append(n.names, v.Name())
	}
	return list, by
}

// removedValues finds the numbers that were removed and not reserved.
func removedValues(what string, reserved func(protoreflect.EnumDescriptor, *number) bool) func(old, now protoreflect.EnumDescriptor) []finding {
	return func(old, now protoreflect.EnumDescriptor) (found []finding) {
		was, _ := numbers(old)
		_, is := numbers(now)
		for _, n := range was {
			if is[n.number] == nil && !reserved(now, n) {
				message := fmt.Sprintf("value %d (%s) of enum %s was removed without reserving its %s", n.number, n, old.FullName(), what)
				found = append(found, finding{message, n.first, nil})
			}
		}
		return found
	}
}

// valueNames finds the numbers of which a name was removed.
func valueNames(old, now protoreflect.EnumDescriptor) (found []finding) {
	was, _ := numbers(old)
	_, is := numbers(now)
	for _, o := range was {
		lost := func(name protoreflect.Name) bool {
			v := now.Values().ByName(name)
			return v == nil || v.Number() != o.number
		}
		if n := is[o.number]; n != nil && slices.ContainsFunc(o.names, lost) {
			message := fmt.Sprintf("value %d of enum %s was renamed from %s to %s", o.number, now.FullName(), o, n)
			found = append(found, finding{message, o.first, n.first})
		}
	}
	return found
}
