package schema

import (
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func (o *outliner) options(opts protoreflect.ProtoMessage) {
	for _, s := range standardOptions(opts) {
		o.line("option %s;", s)
	}
}

// standardOptions returns the options that descriptor.proto defines, as "name = value".
func standardOptions(opts protoreflect.ProtoMessage) []string {
	var out []string
	m := opts.ProtoReflect()
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if !m.Has(fd) || fd.Name() == "uninterpreted_option" || fd.Name() == "map_entry" {
			continue
		}
		v := m.Get(fd)
		if !fd.IsList() {
			out = append(out, fmt.Sprintf("%s = %s", fd.Name(), optionValue(fd, v)))
			continue
		}
		for j := range v.List().Len() {
			out = append(out, fmt.Sprintf("%s = %s", fd.Name(), optionValue(fd, v.List().Get(j))))
		}
	}
	return out
}

func optionValue(fd protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return quote([]byte(v.String()))
	case protoreflect.EnumKind:
		if value := fd.Enum().Values().ByNumber(v.Enum()); value != nil {
			return string(value.Name())
		}
		return strconv.Itoa(int(v.Enum()))
	case protoreflect.MessageKind:
		m := v.Message().Interface()
		standard := m.ProtoReflect().New()
		m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			if !f.IsExtension() {
				standard.Set(f, v)
			}
			return true
		})
		return "{ " + prototext.MarshalOptions{}.Format(standard.Interface()) + " }"
	default:
		return v.String()
	}
}

// quote returns a string literal that the compiler reads as the same bytes.
func quote(b []byte) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, c := range b {
		switch {
		case c == '"' || c == '\\':
			out.WriteByte('\\')
			out.WriteByte(c)
		case c < 0x20 || c >= 0x7f:
			fmt.Fprintf(&out, `\%03o`, c)
		default:
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}
