package openapi

import (
	"math"
	"slices"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// behaviorNumber is the number of the option google.api.field_behavior.
const behaviorNumber = 1052

// The values of google.api.FieldBehavior.
const (
	required   = 2
	outputOnly = 3
	inputOnly  = 4
)

// behaviorNames are those that JSON Schema has no word for.
var behaviorNames = map[uint64]string{
	1: "OPTIONAL", 5: "IMMUTABLE", 6: "UNORDERED_LIST", 7: "NON_EMPTY_DEFAULT", 8: "IDENTIFIER",
}

// behaviorsOf returns the google.api.field_behavior of a field. It reads the bytes of
// the options, because the schema, and not the program, knows the option.
func behaviorsOf(fd protoreflect.FieldDescriptor) (all []uint64) {
	eachOption(fd, behaviorNumber, func(kind protowire.Type, b []byte) {
		if kind == protowire.BytesType {
			b, _ = protowire.ConsumeBytes(b)
		}
		for len(b) > 0 {
			v, n := protowire.ConsumeVarint(b)
			if n < 0 {
				return
			}
			all = append(all, v)
			b = b[n:]
		}
	})
	return all
}

func hasBehavior(fd protoreflect.FieldDescriptor, behavior uint64) bool {
	return slices.Contains(behaviorsOf(fd), behavior)
}

// eachOption visits the values of an option of a declaration, as they are encoded.
func eachOption(d protoreflect.Descriptor, want protowire.Number, visit func(protowire.Type, []byte)) {
	for b := optionBytes(d); len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return
		}
		b = b[n:]
		if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
			return
		}
		if number == want {
			visit(kind, b[:n])
		}
		b = b[n:]
	}
}

// IsDeprecated reports whether a declaration, its service or its file is deprecated.
func IsDeprecated(d protoreflect.Descriptor) bool {
	switch options := d.Options().(type) {
	case *descriptorpb.FieldOptions:
		return options.GetDeprecated()
	case *descriptorpb.MessageOptions:
		return options.GetDeprecated()
	case *descriptorpb.EnumOptions:
		return options.GetDeprecated()
	case *descriptorpb.MethodOptions:
		return options.GetDeprecated() || IsDeprecated(d.Parent())
	case *descriptorpb.ServiceOptions:
		return options.GetDeprecated() || IsDeprecated(d.ParentFile())
	case *descriptorpb.FileOptions:
		return options.GetDeprecated()
	}
	return false
}

// float returns a number, or a string where JSON has no number.
func float(v float64) any {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "Infinity"
	case math.IsInf(v, -1):
		return "-Infinity"
	}
	return number(strconv.FormatFloat(v, 'g', -1, 64))
}
