package transcode

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// checkReplaced checks a value of a singular field that is not written because
// a later value replaces it: malformed bytes are an error everywhere in a
// message.
func (e *encoder) checkReplaced(f *field, first int) *Error {
	switch r := e.records[first]; {
	case first == 0: // already replaced
	case f.utf8 && !utf8.Valid(e.in[r.start:r.end]):
		return (&Error{Problem: "the string is not valid UTF-8"}).in(f.name)
	case f.message != nil:
		if err := e.checkList(f.message.get(), first, e.depth-1); err != nil {
			return err.in(f.name)
		}
	}
	return nil
}

// checkList checks the messages in a list of records that are not written.
func (e *encoder) checkList(p *Plan, first, depth int) *Error {
	for r := first; r != 0; r = e.records[r].next {
		if err := e.check(p, e.records[r].start, e.records[r].end, depth); err != nil {
			return err
		}
	}
	return nil
}

// check checks the message in in[start:end].
func (e *encoder) check(p *Plan, start, end, depth int) *Error {
	if depth < 0 {
		return (&scanner{}).tooDeep()
	}
	in := e.in[:end]
	for i := start; i < end; {
		tag, value, end, err := nextField(in, i)
		if err != nil {
			return err
		}
		i = end
		f := p.number(tag >> 3)
		if f == nil {
			f = e.extension(p, tag)
		}
		if f == nil {
			continue
		}
		if err := e.checkField(f, tag, value, depth); err != nil {
			return err.in(f.name)
		}
	}
	return nil
}

// checkField checks the value of a field with a tag.
func (e *encoder) checkField(f *field, tag uint64, r record, depth int) *Error {
	switch {
	case !f.accepts(tag):
		return nil
	case f.utf8 && !utf8.Valid(e.in[r.start:r.end]):
		return &Error{Problem: "the string is not valid UTF-8"}
	case f.keyField != nil:
		return e.checkEntry(f, r, depth)
	case f.message != nil:
		return e.check(f.message.get(), r.start, r.end, depth-1)
	case tag != f.tag:
		return e.eachPacked(f, r, func(uint64) {})
	}
	return nil
}

// checkEntry checks an entry of a map.
func (e *encoder) checkEntry(f *field, r record, depth int) *Error {
	before := len(e.records)
	x, err := e.entry(f, r)
	if err == nil && f.keyField.utf8 && !utf8.Valid(e.in[x.keyStart:x.keyEnd]) {
		err = errKey()
	}
	if err == nil && f.value.utf8 && x.value != 0 && !utf8.Valid(e.in[e.records[x.value].start:e.records[x.value].end]) {
		err = &Error{Problem: "the string is not valid UTF-8"}
	}
	if err == nil && f.value.message != nil {
		err = e.checkList(f.value.message.get(), x.value, depth-1)
	}
	e.records = e.records[:before]
	return err
}

// eachPacked calls do with each element of a packed list.
func (e *encoder) eachPacked(f *field, r record, do func(uint64)) *Error {
	in := e.in[:r.end]
	for i := r.start; i < r.end; {
		end := i + 4
		switch wire.TypeOf(f.kind) {
		case protowire.Fixed32Type:
		case protowire.Fixed64Type:
			end = i + 8
		default:
			if _, end = wire.Varint(in, i); end <= 0 {
				return malformed(wire.Malformed(end))
			}
		}
		if end > r.end {
			return malformed(wire.Malformed(0))
		}
		do(e.bits(f, i))
		i = end
	}
	return nil
}
