package transcode

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// inOrder writes the members of a message whose fields come in the order of the
// schema, each singular one once, as encoders write them: then nothing has to be
// collected. It reports false, and what it wrote is not valid, if they come otherwise. Its error
// is errAgain.
func (e *encoder) inOrder(p *Plan, content record) (bool, *Error) {
	in := e.in[:content.end]
	next, oneofs := 0, uint64(0) // the first field that may come, and the oneofs that are set
	watch := e.fill || !e.partial && len(p.required) > 0
	for i := content.start; i < len(in); {
		tag, r, end, err := nextField(in, i)
		if err != nil {
			return false, errAgain
		}
		f := p.number(tag >> 3)
		switch {
		case f == nil && p.desc.ExtensionRanges().Len() > 0:
			return false, nil // it may be an extension
		case f == nil || tag != f.tag && !f.accepts(tag) || f.enum != nil && r.typ == protowire.VarintType && !f.enum.has(e.bits(f, r.start)):
			i = end // an unknown field
			continue
		case f.index < next || watch && e.lacks(p, next, f.index):
			return false, nil
		}
		if f.oneof >= 0 {
			bit := uint64(1) << ((f.oneof - len(p.fields)) % 64)
			if oneofs&bit != 0 {
				return false, nil
			}
			oneofs |= bit
		}
		if watch && e.absentUntil(p, next, f.index) != nil {
			return false, errAgain
		}
		next, i = f.index+1, end
		switch {
		case f.repeated:
			i, err = e.inPlace(f, r, in, end)
		case f.message != nil:
			e.fieldKey(f)
			err = e.messageAt(f.message.get(), r.start, r.end)
		default:
			err = e.singular(f, r)
		}
		if err != nil {
			return false, errAgain
		}
	}
	if e.absentUntil(p, next, len(p.fields)) != nil {
		return false, errAgain
	}
	return true, nil
}

// inPlace writes the list or map whose first value is r. It returns where its last value ends.
func (e *encoder) inPlace(f *field, r record, in []byte, end int) (int, *Error) {
	first := len(e.records)
	e.records = append(e.records, r)
	end, err := e.run(f, first, in, end)
	if err == nil {
		err = e.field(f, first)
	}
	e.records = e.records[:first]
	return end, err
}

// accepts reports whether a value with the tag is one of the field.
func (f *field) accepts(tag uint64) bool {
	return tag == f.tag || tag&7 == uint64(protowire.BytesType) && f.packable()
}

// lacks reports whether a required field of p from index next to end is absent. It may
// still come.
func (e *encoder) lacks(p *Plan, next, end int) bool {
	return !e.partial && len(p.required) > 0 && slices.ContainsFunc(p.fields[next:end], func(f *field) bool { return f.required })
}

// absentUntil writes the fields of p from index next to end, which are absent.
func (e *encoder) absentUntil(p *Plan, next, end int) *Error {
	if !e.fill && (e.partial || len(p.required) == 0) {
		return nil
	}
	for _, f := range p.fields[next:end] {
		if err := e.absent(f); err != nil {
			return err.in(f.name)
		}
	}
	return nil
}

// run adds the values of a list or map that follow its first one, in[i:], to the list
// of records. It returns where they end.
func (e *encoder) run(f *field, first int, in []byte, i int) (int, *Error) {
	for last := first; i < len(in); {
		tag, r, end, err := nextField(in, i)
		if err != nil {
			return 0, err
		}
		if !f.accepts(tag) || tag>>3 != f.tag>>3 {
			return i, nil
		}
		i = end
		if f.enum != nil && r.typ == protowire.VarintType && !f.enum.has(e.bits(f, r.start)) {
			continue // an unknown field
		}
		e.records = append(e.records, r)
		e.records[last].next = len(e.records) - 1
		last = len(e.records) - 1
	}
	return i, nil
}
