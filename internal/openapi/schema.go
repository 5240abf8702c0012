package openapi

import (
	"strconv"
	"strings"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/transcode"
	"github.com/dyngate/dyngate/internal/codec/wellknown"
)

// statusDescriptor is the type of errors.
var statusDescriptor = (*spb.Status)(nil).ProtoReflect().Descriptor()

// builder makes the parts of a document.
type builder struct {
	*Document
	*components
	rules   *rules
	streams bool // a response that is a stream has been described
}

func kindOf(md protoreflect.MessageDescriptor) wellknown.Type {
	known := wellknown.Of(md.FullName())
	if transcode.KindOf(md) != known.Kind {
		return wellknown.Type{}
	}
	return known
}

// component returns the schema of a component.
func (b *builder) component(c *component) object {
	var o object
	switch d := c.desc.(type) {
	case protoreflect.MessageDescriptor:
		o = b.message(d, c.without)
	case protoreflect.EnumDescriptor:
		o = b.enum(d)
	}
	if IsDeprecated(c.desc) {
		o.set("deprecated", true)
	}
	return o
}

// message returns the schema of a message, but for the fields that are missing.
func (b *builder) message(md protoreflect.MessageDescriptor, missing without) object {
	if known := kindOf(md); known.Kind != wellknown.None {
		return wellKnown(md, known.Kind)
	}
	o := object{}
	o.setText("description", b.comments[md])
	o.set("type", "object")
	properties, required := object{}, list{}
	for _, fd := range b.fieldsOf(md) {
		if missing.has(fd) {
			continue
		}
		properties = append(properties, member{b.nameOf(fd), b.property(fd, missing.of(fd))})
		if b.isRequired(fd) {
			required = append(required, b.nameOf(fd))
		}
	}
	if len(properties) > 0 {
		o.set("properties", properties)
	}
	if md.ExtensionRanges().Len() > 0 {
		o.set("patternProperties", obj(`^\[.+\]$`, obj("description", "An extension.")))
	}
	if len(required) > 0 {
		o.set("required", required)
	}
	b.oneofs(&o, md, missing)
	o.set("additionalProperties", false)
	return o
}

func (b *builder) fieldsOf(md protoreflect.MessageDescriptor) []protoreflect.FieldDescriptor {
	fields := make([]protoreflect.FieldDescriptor, md.Fields().Len())
	for i := range fields {
		fields[i] = md.Fields().Get(i)
	}
	return fields
}

// nameOf returns the name of a field in JSON.
func (b *builder) nameOf(fd protoreflect.FieldDescriptor) string {
	if b.opts.ProtoNames {
		return fd.TextName()
	}
	return fd.JSONName()
}

// property returns the schema of a field, with what its declaration says about it.
func (b *builder) property(fd protoreflect.FieldDescriptor, missing without) object {
	o := b.field(fd, missing)
	b.rules.apply(&o, fd)
	o.setText("description", b.comments[fd])
	if IsDeprecated(fd) {
		o.set("deprecated", true)
	}
	var others list
	for _, behavior := range behaviorsOf(fd) {
		switch behavior {
		case required: // in the list of the message
		case outputOnly:
			o.set("readOnly", true)
		case inputOnly:
			o.set("writeOnly", true)
		default:
			if name, ok := behaviorNames[behavior]; ok {
				others = append(others, name)
			}
		}
	}
	if len(others) > 0 {
		o.set("x-field-behavior", others)
	}
	if fd.HasDefault() {
		if value := defaultOf(fd); value != nil {
			o.set("default", value)
		}
	}
	return o
}

func (b *builder) isRequired(fd protoreflect.FieldDescriptor) bool {
	return fd.Cardinality() == protoreflect.Required || hasBehavior(fd, required) || b.rules.requires(fd)
}

// field returns the schema of a field's value. missing are fields of the message in it.
func (b *builder) field(fd protoreflect.FieldDescriptor, missing without) object {
	switch {
	case fd.IsMap():
		o := obj("type", "object", "additionalProperties", b.singular(fd.MapValue(), nil))
		if keys := keysOf(fd.MapKey()); keys != nil {
			o.set("propertyNames", keys)
		}
		return o
	case fd.IsList():
		return obj("type", "array", "items", b.singular(fd, nil))
	}
	return b.singular(fd, missing)
}

func keysOf(fd protoreflect.FieldDescriptor) object {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return nil
	case protoreflect.BoolKind:
		return obj("enum", list{"false", "true"})
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return obj("pattern", "^[0-9]+$")
	}
	return obj("pattern", "^-?[0-9]+$")
}

// singular returns the schema of one value.
func (b *builder) singular(fd protoreflect.FieldDescriptor, missing without) object {
	switch {
	case fd.Message() != nil:
		return b.refWithout(fd.Message(), missing)
	case wellknown.IsNull(fd):
		return obj("type", "null")
	case fd.Enum() != nil:
		return b.ref(fd.Enum())
	}
	return scalar(fd.Kind())
}

// scalar returns the schema of a scalar: what the server sends, and numbers of 64 bits
// also as numbers.
func scalar(kind protoreflect.Kind) object {
	switch kind {
	case protoreflect.BoolKind:
		return obj("type", "boolean")
	case protoreflect.BytesKind:
		return obj("type", "string", "contentEncoding", "base64")
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return obj("type", list{"number", "string"}, "format", kind.String(), "pattern", "^(NaN|-?Infinity)$")
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return obj("type", "integer", "format", "int32")
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return obj("type", "integer", "format", "uint32", "minimum", 0)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return obj("type", list{"string", "integer"}, "format", "int64", "pattern", "^-?[0-9]+$")
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return obj("type", list{"string", "integer"}, "format", "uint64", "pattern", "^[0-9]+$", "minimum", 0)
	}
	return obj("type", "string")
}

// enum returns the schema of an enum: its names, and numbers. A field of an open enum
// may have any number.
func (b *builder) enum(ed protoreflect.EnumDescriptor) object {
	var names, numbers list
	var about []string
	for i := range ed.Values().Len() {
		v := ed.Values().Get(i)
		names = append(names, string(v.Name()))
		if n := int(v.Number()); !contains(numbers, n) {
			numbers = append(numbers, n)
		}
		if text := b.comments[v]; text != "" {
			about = append(about, "- `"+string(v.Name())+"`: "+strings.ReplaceAll(text, "\n", "\n  "))
		}
	}
	o := object{}
	o.setText("description", paragraphs(b.comments[ed], strings.Join(about, "\n")))
	integer := obj("type", "integer", "format", "int32")
	if ed.IsClosed() {
		integer.set("enum", numbers)
	}
	o.set("anyOf", list{obj("type", "string", "enum", names), integer})
	return o
}

func contains(all list, value any) bool {
	for _, v := range all {
		if v == value {
			return true
		}
	}
	return false
}

// paragraphs joins texts that are not empty.
func paragraphs(texts ...string) string {
	var out []string
	for _, text := range texts {
		if text != "" {
			out = append(out, text)
		}
	}
	return strings.Join(out, "\n\n")
}

// wellKnown returns the schema of a message with a JSON form of its own. The comments of
// these messages are about their fields, and long.
func wellKnown(md protoreflect.MessageDescriptor, kind wellknown.Kind) object {
	switch kind {
	case wellknown.Any:
		return obj("description", "A message of any type.", "type", "object", "properties", obj("@type", obj(
			"description", "A URL that ends with the full name of the type.", "type", "string",
		)), "additionalProperties", true)
	case wellknown.Duration:
		return obj("description", "A number of seconds.", "type", "string",
			"pattern", `^-?[0-9]{1,12}(\.[0-9]{1,9})?s$`, "examples", list{"1.5s"})
	case wellknown.Empty:
		return obj("type", "object", "additionalProperties", false)
	case wellknown.FieldMask:
		return obj("description", "Paths of fields, separated by commas.", "type", "string",
			"examples", list{"name,address.city"})
	case wellknown.ListValue:
		return obj("description", "A list of any values.", "type", "array", "items", object{})
	case wellknown.Struct:
		return obj("description", "An object of any members.", "type", "object", "additionalProperties", true)
	case wellknown.Timestamp:
		return obj("description", "A time in the years 1 to 9999.", "type", "string", "format", "date-time")
	case wellknown.Wrapper:
		return scalar(md.Fields().ByNumber(1).Kind())
	}
	return obj("description", "Any value.") // google.protobuf.Value
}

// oneofs adds that a message may have at most one field of each oneof.
func (b *builder) oneofs(o *object, md protoreflect.MessageDescriptor, missing without) {
	var all list
	add := func(names []string, required bool) {
		if len(names) > 1 || len(names) == 1 && required {
			all = append(all, exclusive(names, required))
		}
	}
	for i := range md.Oneofs().Len() {
		od := md.Oneofs().Get(i)
		if od.IsSynthetic() {
			continue
		}
		var names []string
		complete := true
		for j := range od.Fields().Len() {
			fd := od.Fields().Get(j)
			if missing.has(fd) {
				complete = false
				continue
			}
			names = append(names, b.nameOf(fd))
		}
		add(names, complete && b.rules.requiresOneof(od))
	}
	for _, rule := range b.rules.oneofsOf(md) {
		var names []string
		for _, fd := range rule.fields {
			if !missing.has(fd) {
				names = append(names, b.nameOf(fd))
			}
		}
		add(names, rule.required && len(names) == len(rule.fields))
	}
	switch len(all) {
	case 0:
	case 1:
		*o = append(*o, all[0].(object)...) //nolint:forcetypeassert // exclusive returns objects
	default:
		o.set("allOf", all)
	}
}

// exclusive returns a schema of objects that have at most one of the members, or
// exactly one.
func exclusive(names []string, required bool) object {
	var choices, present list
	for _, name := range names {
		has := obj("required", list{name})
		choices, present = append(choices, has), append(present, has)
	}
	if !required {
		choices = append(choices, obj("not", obj("anyOf", present)))
	}
	return obj("oneOf", choices)
}

// defaultOf returns the default of a field of proto2; nil if JSON cannot show it.
func defaultOf(fd protoreflect.FieldDescriptor) any {
	value := fd.Default()
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return value.Bool()
	case protoreflect.StringKind:
		return value.String()
	case protoreflect.EnumKind:
		if v := fd.DefaultEnumValue(); v != nil {
			return string(v.Name())
		}
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return int(value.Int())
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return number(strconv.FormatUint(value.Uint(), 10))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return strconv.FormatInt(value.Int(), 10)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return strconv.FormatUint(value.Uint(), 10)
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return float(value.Float())
	}
	return nil
}
