package breaking

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

var fileRules = []rule[protoreflect.FileDescriptor]{
	{"FILE_SAME_PACKAGE", func(old, now protoreflect.FileDescriptor) []finding {
		if old.Package() == now.Package() {
			return nil
		}
		return breaks("the package of %s changed from %q to %q", now.Path(), old.Package(), now.Package())
	}},
}

var messageRules = []rule[protoreflect.MessageDescriptor]{
	{"FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", removedFields("number", numberReserved)},
	{"FIELD_NO_DELETE_UNLESS_NAME_RESERVED", removedFields("name", nameReserved)},
	{"MESSAGE_SAME_REQUIRED_FIELDS", requiredFields},
	{"MESSAGE_SAME_JSON_FORMAT", func(old, now protoreflect.MessageDescriptor) []finding { return jsonFormat(old, now) }},
	{"RESERVED_MESSAGE_NO_DELETE", func(old, now protoreflect.MessageDescriptor) []finding {
		return reservations("message "+nameOf(now), ofMessage(old), ofMessage(now))
	}},
}

// removedFields finds the fields that were removed without reserving their number
// and name.
func removedFields(
	what string, reserved func(protoreflect.MessageDescriptor, protoreflect.FieldDescriptor) bool,
) func(old, now protoreflect.MessageDescriptor) []finding {
	return func(old, now protoreflect.MessageDescriptor) (found []finding) {
		for i := range old.Fields().Len() {
			f := old.Fields().Get(i)
			if now.Fields().ByNumber(f.Number()) != nil || reserved(now, f) {
				continue
			}
			moved := now.Fields().ByName(f.Name())
			how := "removed"
			if moved != nil {
				how = fmt.Sprintf("renumbered to %d", moved.Number())
			}
			message := fmt.Sprintf("%s was %s without reserving its %s", describe(f), how, what)
			found = append(found, finding{message, f, orNil(moved)})
		}
		return found
	}
}

func numberReserved(m protoreflect.MessageDescriptor, f protoreflect.FieldDescriptor) bool {
	return m.ReservedRanges().Has(f.Number())
}

func nameReserved(m protoreflect.MessageDescriptor, f protoreflect.FieldDescriptor) bool {
	return m.ReservedNames().Has(f.Name())
}

// requiredFields finds the fields that only one of the versions requires: it
// rejects messages that the other one writes.
func requiredFields(old, now protoreflect.MessageDescriptor) (found []finding) {
	for i := range old.Fields().Len() {
		f := old.Fields().Get(i)
		if n := now.Fields().ByNumber(f.Number()); required(f) && !required(n) {
			found = append(found, finding{describe(f) + " is no longer required", f, orNil(n)})
		}
	}
	for i := range now.Fields().Len() {
		f := now.Fields().Get(i)
		if o := old.Fields().ByNumber(f.Number()); required(f) && !required(o) {
			found = append(found, finding{describe(f) + " is required now", orNil(o), f})
		}
	}
	return found
}

func required(f protoreflect.FieldDescriptor) bool {
	return f != nil && f.Cardinality() == protoreflect.Required
}

// orNil returns a nil interface for a nil field.
func orNil(f protoreflect.FieldDescriptor) protoreflect.Descriptor {
	if f == nil {
		return nil
	}
	return f
}

// jsonFormat is the rule for both messages and enums.
func jsonFormat(old, now protoreflect.Descriptor) []finding {
	if bestEffortJSON(old) || !bestEffortJSON(now) {
		return nil
	}
	return breaks("JSON is no longer guaranteed for %s: its json_format changed from ALLOW to LEGACY_BEST_EFFORT", now.FullName())
}

// bestEffortJSON reports whether the feature json_format of a descriptor is
// LEGACY_BEST_EFFORT. The feature is inherited from the parent.
func bestEffortJSON(d protoreflect.Descriptor) bool {
	for in := d; in != nil; in = in.Parent() {
		options, ok := in.Options().(interface {
			GetFeatures() *descriptorpb.FeatureSet
		})
		if ok && options.GetFeatures().GetJsonFormat() != descriptorpb.FeatureSet_JSON_FORMAT_UNKNOWN {
			return options.GetFeatures().GetJsonFormat() == descriptorpb.FeatureSet_LEGACY_BEST_EFFORT
		}
	}
	return d.ParentFile().Syntax() == protoreflect.Proto2
}
