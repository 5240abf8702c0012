package transcode

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
)

// Param is a field that a parameter of a URL sets: a scalar, an element of a list, an entry
// of a map, or a message whose JSON is not an object of its fields, such as a Timestamp.
type Param struct {
	name  string
	outer []*field // the messages that contain the field
	field *field
	key   string // of the entry, if field is a map
}

// Name returns the name of the parameter.
func (x Param) Name() string { return x.name }

// Root returns the field of the plan's message that the parameter sets, or sets a part of.
func (x Param) Root() protoreflect.FieldDescriptor {
	if len(x.outer) > 0 {
		return x.outer[0].desc
	}
	return x.field.desc
}

// Field returns the field that the parameter sets.
func (x Param) Field() protoreflect.FieldDescriptor { return x.field.desc }

// FindParam finds the field of a parameter's name: JSON names or names of the schema, separated
// by dots, as in author.birth_date. Entries of maps, and of a google.protobuf.Struct, are
// written labels[key]; the key is everything up to the last bracket. Errors are of type *Error.
func (p *Plan) FindParam(name string) (Param, error) {
	x := Param{name: name}
	for rest := name; ; {
		segment, key, keyed, inner := rest, "", false, ""
		f := p.byName[rest] // a JSON name may contain anything
		if f == nil {
			segment, key, keyed, inner = cutParam(rest)
			f = p.byName[segment]
		}
		if f != nil && f.isMessageMap() {
			return Param{}, (&Error{Problem: f.name + " is a map of messages, which a parameter cannot set"}).param(name)
		}
		if f == nil {
			return Param{}, unknown(p.desc, "field", segment, p.names(), 0).param(name)
		}
		if inner == "" && segment != rest && !keyed { // the name ends with a dot or lacks a bracket
			return Param{}, (&Error{Problem: "the name is not complete"}).param(name)
		}
		if inner == "" {
			return x.at(f, key, keyed)
		}
		if err := x.enter(f); err != nil {
			return Param{}, err.param(name)
		}
		p, rest = f.message.get(), inner
	}
}

// cutParam splits the first segment from a parameter's name.
func cutParam(name string) (segment, key string, keyed bool, inner string) {
	i := strings.IndexAny(name, ".[")
	switch {
	case i < 0:
		return name, "", false, ""
	case name[i] == '.':
		return name[:i], "", false, name[i+1:]
	case name[len(name)-1] == ']':
		return name[:i], name[i+1 : len(name)-1], true, ""
	}
	return name[:i], "", false, ""
}

// Param returns the parameter for a path of fields, the outermost first.
func (p *Plan) Param(path []protoreflect.FieldDescriptor) (Param, error) {
	names := make([]string, len(path))
	for i, fd := range path {
		names[i] = string(fd.Name())
	}
	x := Param{name: strings.Join(names, ".")}
	for i, fd := range path {
		f := p.number(uint64(fd.Number()))
		if f == nil || f.desc.FullName() != fd.FullName() {
			return Param{}, (&Error{Problem: fmt.Sprintf("%s has no field %s", p.desc.FullName(), fd.FullName())}).param(x.name)
		}
		if i == len(path)-1 {
			return x.at(f, "", false)
		}
		if err := x.enter(f); err != nil {
			return Param{}, err.param(x.name)
		}
		p = f.message.get()
	}
	return Param{}, &Error{Problem: "the path of a parameter is empty"}
}

// enter adds a message that contains the field.
func (x *Param) enter(f *field) *Error {
	switch {
	case f.keyField != nil:
		return &Error{Problem: fmt.Sprintf("%s is a map: set its entries as %s[key]", f.name, f.name)}
	case f.message == nil || !f.message.get().hasFields():
		return &Error{Problem: fmt.Sprintf("%s has no fields: it is %s", f.name, wanted(f))}
	case f.list:
		return &Error{Problem: f.name + " is a list of messages, which a parameter cannot set"}
	case len(x.outer) == maxDepth-1:
		return (&scanner{}).tooDeep()
	}
	x.outer = append(x.outer, f)
	return nil
}

// isMessageMap reports whether f is a map of messages that a parameter cannot set, whatever its
// key is.
func (f *field) isMessageMap() bool {
	return f.keyField != nil && f.value.message != nil && f.value.message.get().hasFields()
}

// hasFields reports whether the JSON of the message is an object of its fields.
func (p *Plan) hasFields() bool {
	return p.kind == wellknown.None && len(p.fields) > 0
}

// at completes a parameter that sets f, or an entry of f.
func (x Param) at(f *field, key string, keyed bool) (Param, error) {
	if keyed && f.keyField == nil && !f.list && f.message != nil && f.message.get().kind == wellknown.Struct {
		x.outer = append(x.outer, f)
		f = f.message.get().fields[0]
	}
	x.field, x.key = f, key
	value := f
	if f.keyField != nil {
		value = f.value
	}
	var problem string
	switch {
	case keyed && f.keyField == nil:
		problem = f.name + " is not a map"
	case !keyed && f.keyField != nil:
		problem = fmt.Sprintf("%s is a map: set its entries as %s[key]", f.name, f.name)
	case value.message == nil || wellknown.Of(value.message.desc.FullName()).HasOwnJSON() && value.message.get().kind != wellknown.None:
		return x, nil
	case f.list || f.keyField != nil || !value.message.get().hasFields():
		problem = fmt.Sprintf("a parameter cannot set a %s", value.message.desc.FullName())
	default:
		problem = fmt.Sprintf("%s is a message: set its fields, such as %s.%s", f.name, f.name, value.message.get().fields[0].name)
	}
	return Param{}, (&Error{Problem: problem}).param(x.name)
}

// param makes e an error of a parameter.
func (e *Error) param(name string) *Error {
	e.Param = name
	return e
}
