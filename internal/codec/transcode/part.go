package transcode

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
)

// AppendWireField appends one field of the message to dst, with the value in doc. The value
// null sets nothing. Required fields of the plan's own message are not checked. After an error,
// of type *Error, the result is dst.
func (p *Plan) AppendWireField(dst, doc []byte, fd protoreflect.FieldDescriptor, opts DecodeOptions) ([]byte, error) {
	f, err := p.own(fd)
	if err != nil {
		return dst, err
	}
	return p.decode(dst, doc, f, opts)
}

// part reads the value of a field of p.
func (d *decoder) part(p *Plan, f *field) *Error {
	if d.depth--; d.depth < 0 {
		return d.tooDeep()
	}
	base := len(d.seen)
	d.seen = append(d.seen, make([]uint64, p.words)...)
	err := d.fieldValue(p, f, base)
	d.seen = d.seen[:base]
	d.missing = slices.DeleteFunc(d.missing, func(path []Step) bool { return len(path) == 0 }) // f itself
	if len(d.missing) == 0 {
		d.missing = nil
	}
	d.depth++
	return err
}

// AppendJSONField appends the JSON of one field of msg, which is in the binary format, to dst. If
// the field is not set, that is [] for a list, {} for a map or a message, the default of a field
// without presence, and otherwise null: messages such as a Timestamp have no JSON that means
// "not set". After an error, of type *Error, the result is dst.
func (p *Plan) AppendJSONField(dst, msg []byte, fd protoreflect.FieldDescriptor, opts EncodeOptions) ([]byte, error) {
	f, err := p.own(fd)
	if err != nil {
		return dst, err
	}
	return p.encode(dst, msg, f, opts)
}

// part writes the value of a field of p, whose message is all of e.in.
func (e *encoder) part(p *Plan, f *field) *Error {
	e.depth--
	base := len(e.slots)
	e.slots = append(e.slots, make([]slot, len(p.fields)+p.oneofs)...)
	if _, err := e.scan(p, record{end: len(e.in)}, base, nil); err != nil {
		return err
	}
	first := e.slots[base+f.index].first
	if first == 0 {
		e.absentPart(f)
		return nil
	}
	switch {
	case f.list || f.keyField != nil:
		_, err := e.elements(f, first)
		return err
	case f.message != nil:
		return e.message(f.message.get(), first)
	}
	return e.scalar(f, e.records[first])
}

// absentPart writes the value of a field that is not set.
func (e *encoder) absentPart(f *field) {
	switch {
	case f.keyField != nil:
		e.out = append(e.out, "{}"...)
	case f.list:
		e.out = append(e.out, "[]"...)
	case f.message != nil:
		switch f.message.get().kind {
		case wellknown.None, wellknown.Any, wellknown.Empty, wellknown.Struct:
			e.out = append(e.out, "{}"...)
		case wellknown.ListValue:
			e.out = append(e.out, "[]"...)
		default:
			e.out = append(e.out, "null"...)
		}
	case f.presence:
		e.out = append(e.out, "null"...)
	default:
		e.number(f, 0)
	}
}

// own returns the field of a descriptor.
func (p *Plan) own(fd protoreflect.FieldDescriptor) (*field, error) {
	f := p.number(uint64(fd.Number()))
	if f == nil || f.desc.FullName() != fd.FullName() {
		return nil, &Error{Problem: fmt.Sprintf("%s has no field %s", p.desc.FullName(), fd.FullName())}
	}
	return f, nil
}
