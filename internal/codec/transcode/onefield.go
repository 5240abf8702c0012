package transcode

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// AppendWireField is like AppendWire for a document that is the value of one
// field of the message: an array for a list, an object for a map. null leaves the
// field unset.
func (p *Plan) AppendWireField(dst, doc []byte, fd protoreflect.FieldDescriptor, opts DecodeOptions) ([]byte, error) {
	d := decoders.Get().(*decoder) //nolint:forcetypeassert // the pool has only decoders
	d.plans, d.in, d.pos, d.out, d.opts, d.depth = p.plans, doc, 0, dst, opts, maxDepth-1
	for range p.words {
		d.seen = append(d.seen, 0)
	}
	var err *Error
	if d.space(); d.pos == len(d.in) {
		err = &Error{Problem: "the JSON is empty", offset: d.pos}
	} else if err = d.fieldValue(p, p.number(uint64(fd.Number())), 0); err == nil {
		err = d.finish()
	}
	out := d.out
	d.release()
	if err != nil {
		return dst, err.finish(doc)
	}
	return out, nil
}

// AppendJSONField is like AppendJSON, but writes the value of one field of the
// message only. A field with presence that is not set is null.
func (p *Plan) AppendJSONField(dst, msg []byte, fd protoreflect.FieldDescriptor, opts EncodeOptions) ([]byte, error) {
	e := encoders.Get().(*encoder) //nolint:forcetypeassert // the pool has only encoders
	e.plans, e.in, e.opts, e.disorder = p.plans, msg, opts, true
	e.out, e.depth, e.level, e.partial = dst, maxDepth-1, 0, opts.Lenient
	e.records, e.slots, e.entries = e.records[:1], e.slots[:0], e.entries[:0]
	err := e.onlyField(p, p.number(uint64(fd.Number())))
	out := e.out
	e.release()
	if err != nil {
		slices.Reverse(err.Path)
		return dst, err
	}
	return out, nil
}

// onlyField writes the value of a field of the message in e.in.
func (e *encoder) onlyField(p *Plan, f *field) *Error {
	e.slots = append(e.slots, make([]slot, len(p.fields)+p.oneofs)...)
	if _, err := e.scan(p, record{end: len(e.in), typ: protowire.BytesType}, 0, nil); err != nil {
		return err
	}
	first := e.slots[f.index].first
	switch {
	case f.list || f.keyField != nil:
		_, err := e.elements(f, first)
		return err
	case first == 0 && f.presence:
		e.out = append(e.out, "null"...)
	case first == 0:
		e.number(f, 0)
	case f.message != nil:
		return e.message(f.message.get(), first)
	default:
		return e.scalar(f, e.records[first])
	}
	return nil
}
