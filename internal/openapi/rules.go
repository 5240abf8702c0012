package openapi

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/schema"
)

// rulesNumber is the number of the options buf.validate.field, .message and .oneof.
const rulesNumber = 1159

// rules reads the rules of buf.validate. It knows them by their names in the schema
// that is described, so it works with every version of buf/validate/validate.proto.
type rules struct {
	types map[protoreflect.FileDescriptor]*schema.Types
}

func newRules() *rules { return &rules{types: make(map[protoreflect.FileDescriptor]*schema.Types)} }

// of returns the rules of a declaration; nil if it has none.
func (r *rules) of(d protoreflect.Descriptor, option protoreflect.FullName) protoreflect.Message {
	var content []byte
	eachOption(d, rulesNumber, func(kind protowire.Type, b []byte) {
		if kind == protowire.BytesType { // options of one message are merged
			b, _ = protowire.ConsumeBytes(b)
			content = append(content, b...)
		}
	})
	if content == nil {
		return nil
	}
	types := r.types[d.ParentFile()]
	if types == nil {
		types = schema.NewTypes(d.ParentFile())
		r.types[d.ParentFile()] = types
	}
	extension, err := types.FindExtensionByName(option)
	if err != nil || extension.TypeDescriptor().Number() != rulesNumber || extension.TypeDescriptor().Message() == nil {
		return nil
	}
	mt, err := types.FindMessageByName(extension.TypeDescriptor().Message().FullName())
	if err != nil {
		return nil
	}
	m := mt.New()
	if (proto.UnmarshalOptions{Resolver: types, AllowPartial: true}).Unmarshal(content, m.Interface()) != nil {
		return nil
	}
	return m
}

func (r *rules) field(fd protoreflect.FieldDescriptor) protoreflect.Message {
	m := r.of(fd, "buf.validate.field")
	if m == nil {
		return nil
	}
	if v, ok := get(m, "ignore"); ok {
		value := m.Descriptor().Fields().ByName("ignore").Enum().Values().ByNumber(v.Enum())
		if value != nil && value.Name() == "IGNORE_ALWAYS" {
			return nil
		}
	}
	return m
}

// requires reports whether a rule requires a field to be set.
func (r *rules) requires(fd protoreflect.FieldDescriptor) bool {
	m := r.field(fd)
	return m != nil && isSet(m, "required")
}

// requiresOneof reports whether a rule requires a field of a oneof to be set.
func (r *rules) requiresOneof(od protoreflect.OneofDescriptor) bool {
	m := r.of(od, "buf.validate.oneof")
	return m != nil && isSet(m, "required")
}

// oneofRule is a rule of a message: of the fields, one at most may be set, or exactly one.
type oneofRule struct {
	fields   []protoreflect.FieldDescriptor
	required bool
}

func (r *rules) oneofsOf(md protoreflect.MessageDescriptor) (all []oneofRule) {
	m := r.of(md, "buf.validate.message")
	if m == nil {
		return nil
	}
	v, ok := get(m, "oneof")
	if !ok || !m.Descriptor().Fields().ByName("oneof").IsList() {
		return nil
	}
	for i := range v.List().Len() {
		one := v.List().Get(i).Message()
		rule := oneofRule{required: isSet(one, "required")}
		fields, _ := get(one, "fields")
		for j := range fields.List().Len() {
			if fd := md.Fields().ByName(protoreflect.Name(fields.List().Get(j).String())); fd != nil {
				rule.fields = append(rule.fields, fd)
			}
		}
		all = append(all, rule)
	}
	return all
}

// apply adds the rules of a field to its schema, as far as JSON Schema can say them.
func (r *rules) apply(o *object, fd protoreflect.FieldDescriptor) {
	if m := r.field(fd); m != nil {
		r.value(o, m, fd)
	}
}

// value adds the rules of one value, an element or a field.
func (r *rules) value(o *object, m protoreflect.Message, fd protoreflect.FieldDescriptor) {
	oneof := m.Descriptor().Oneofs().ByName("type")
	if oneof == nil {
		return
	}
	which := m.WhichOneof(oneof)
	if which == nil || which.Message() == nil {
		return
	}
	m = m.Get(which).Message()
	switch which.Name() {
	case "string":
		stringRules(o, m)
	case "bool":
		if v, ok := get(m, "const"); ok {
			o.set("const", v.Bool())
		}
	case "enum":
		if fd.Enum() != nil {
			enumRules(o, m, fd.Enum())
		}
	case "repeated":
		r.repeated(o, m, fd)
	case "map":
		r.pairs(o, m, fd)
	case "any":
		anyRules(o, m)
	case "bytes", "duration", "timestamp", "field_mask":
	default:
		numberRules(o, m)
	}
}

func (r *rules) repeated(o *object, m protoreflect.Message, fd protoreflect.FieldDescriptor) {
	copyNumber(o, "minItems", m, "min_items")
	copyNumber(o, "maxItems", m, "max_items")
	if isSet(m, "unique") {
		o.set("uniqueItems", true)
	}
	r.inner(o, "items", m, "items", fd)
}

func (r *rules) pairs(o *object, m protoreflect.Message, fd protoreflect.FieldDescriptor) {
	copyNumber(o, "minProperties", m, "min_pairs")
	copyNumber(o, "maxProperties", m, "max_pairs")
	if !fd.IsMap() {
		return
	}
	if fd.MapKey().Kind() == protoreflect.StringKind {
		r.inner(o, "propertyNames", m, "keys", fd.MapKey())
	}
	r.inner(o, "additionalProperties", m, "values", fd.MapValue())
}

// inner adds the rules in the field name of m to a schema in o.
func (r *rules) inner(o *object, key string, m protoreflect.Message, name protoreflect.Name, fd protoreflect.FieldDescriptor) {
	v, ok := get(m, name)
	if !ok {
		return
	}
	schema, _ := o.get(key).(object)
	if r.value(&schema, v.Message(), fd); len(schema) > 0 {
		o.set(key, schema)
	}
}

// get returns the value of a field of that name, if it is set.
func get(m protoreflect.Message, name protoreflect.Name) (protoreflect.Value, bool) {
	fd := m.Descriptor().Fields().ByName(name)
	if fd == nil || !m.Has(fd) {
		return protoreflect.Value{}, false
	}
	return m.Get(fd), true
}

func isSet(m protoreflect.Message, name protoreflect.Name) bool {
	v, ok := get(m, name)
	is, _ := v.Interface().(bool)
	return ok && is
}
