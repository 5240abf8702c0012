package openapi

import (
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
)

// Limits on the query parameters of an operation: types may contain themselves.
const (
	maxQueryDepth  = 10
	maxQueryParams = 1000
)

// query collects the query parameters of an operation.
type query struct {
	*builder
	taken  [][]protoreflect.FieldDescriptor // fields that are in the path or the body
	stack  []protoreflect.FullName
	params list
}

// queryParams returns the parameters in the query: all fields that are neither in the
// path nor in the body.
func (b *builder) queryParams(op *operation) list {
	if op.Body.Whole || op.Method.IsStreamingClient() && op.Body.Field == nil {
		return nil
	}
	q := &query{builder: b}
	for _, v := range op.Vars {
		q.taken = append(q.taken, v.Field)
	}
	if op.Body.Field != nil {
		q.taken = append(q.taken, []protoreflect.FieldDescriptor{op.Body.Field})
	}
	q.message(op.Method.Input(), nil, "", true)
	return q.params
}

// message adds the fields of a message. needed says that the message cannot be absent.
func (q *query) message(md protoreflect.MessageDescriptor, path []protoreflect.FieldDescriptor, prefix string, needed bool) {
	q.stack = append(q.stack, md.FullName())
	defer func() { q.stack = q.stack[:len(q.stack)-1] }()
	for _, fd := range q.fieldsOf(md) {
		at := append(slices.Clip(path), fd)
		if q.isTaken(at) || hasBehavior(fd, outputOnly) || len(q.params) >= maxQueryParams {
			continue
		}
		q.field(fd, at, prefix+q.nameOf(fd), needed && q.isRequired(fd))
	}
}

func (q *query) isTaken(path []protoreflect.FieldDescriptor) bool {
	return slices.ContainsFunc(q.taken, func(taken []protoreflect.FieldDescriptor) bool {
		return slices.Equal(taken, path)
	})
}

func (q *query) field(fd protoreflect.FieldDescriptor, path []protoreflect.FieldDescriptor, name string, needed bool) {
	value := fd
	if fd.IsMap() {
		value = fd.MapValue()
	}
	if md := value.Message(); md != nil && !isText(md) {
		switch kind := kindOf(md).Kind; {
		case kind == wellknown.Struct || kind == wellknown.Value || kind == wellknown.ListValue:
			if value == fd && !fd.IsList() {
				q.add(fd, name, needed, "content", jsonContent(q.ref(md)))
			}
		case value == fd && !fd.IsList() && kind != wellknown.Any && len(path) < maxQueryDepth && !slices.Contains(q.stack, md.FullName()):
			q.message(md, path, name+".", needed)
		}
		return
	}
	if fd.IsMap() {
		schema := obj("type", "object", "additionalProperties", q.text(value))
		q.add(fd, name, needed, "style", "deepObject", "explode", true, "schema", schema)
		return
	}
	q.add(fd, name, needed, "schema", q.parameter(fd))
}

// add adds a parameter; more are the members that say what its value is.
func (q *query) add(fd protoreflect.FieldDescriptor, name string, needed bool, more ...any) {
	param := obj("name", name, "in", "query")
	param.setText("description", q.comments[fd])
	if needed {
		param.set("required", true)
	}
	if IsDeprecated(fd) {
		param.set("deprecated", true)
	}
	q.params = append(q.params, append(param, obj(more...)...))
}

// isText reports whether a message is one value in a URL.
func isText(md protoreflect.MessageDescriptor) bool {
	switch kindOf(md).Kind {
	case wellknown.Timestamp, wellknown.Duration, wellknown.FieldMask, wellknown.Wrapper:
		return true
	}
	return false
}

// parameter returns the schema of a field in a URL.
func (b *builder) parameter(fd protoreflect.FieldDescriptor) object {
	var o object
	if fd.IsList() {
		o = obj("type", "array", "items", b.text(fd))
	} else {
		o = b.text(fd)
	}
	b.rules.apply(&o, fd)
	return o
}

// text returns the schema of one value in a URL, where a number and a string with the
// same digits are the same.
func (b *builder) text(fd protoreflect.FieldDescriptor) object {
	if fd.Message() != nil && kindOf(fd.Message()).Kind == wellknown.Wrapper {
		fd = fd.Message().Fields().ByNumber(1)
	}
	switch fd.Kind() {
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return obj("type", "integer", "format", "int64")
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return obj("type", "integer", "format", "uint64", "minimum", 0)
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return obj("type", "number", "format", fd.Kind().String())
	}
	return b.singular(fd, nil)
}
