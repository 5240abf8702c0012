package dynamic

import (
	"slices"
	"unicode/utf8"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// delimited reads the less frequent fields that have a length. Their content is from
// i to next, the field begins at start, the message ends at end. It returns false if
// the field must be kept as unknown.
func (d *decoder) delimited(m *Message, a *action, start, i, next, end int) (bool, *wire.Error) {
	f := a.field
	d.read = i
	run := func() int { return wire.Run(d.in[start:end], i-start, next-start) }
	switch a.op {
	case opBlob:
		m.setBlob(f, slices.Clone(d.in[i:next]))
	case opListText:
		return true, d.appendText(m, f, i, next, run)
	case opListBlob:
		if !m.has(f) {
			m.setRef(f, &blobList{f: f})
		}
		l := (*m.ref(f)).(*blobList)
		l.v = append(l.v, append([]byte{}, d.in[i:next]...))
	case opListMessage:
		l, sub := d.element(m, f, run)
		if _, err := d.message(sub, i, next, 0); err != nil {
			return true, err.Elem(len(l.v) - 1)
		}
	case opMap:
		return d.entry(m, f, i, next, run)
	default:
		return true, d.packed(m, a, i, next)
	}
	return true, nil
}

// appendText reads one element of a list of strings.
func (d *decoder) appendText(m *Message, f *field, i, next int, run func() int) *wire.Error {
	if !m.has(f) {
		l := d.lists.part(d.maker)
		l.f = f
		m.setRef(f, l)
	}
	l := (*m.ref(f)).(*textList)
	if f.utf8 && !utf8.Valid(d.in[i:next]) {
		return wire.NewMalformed(wire.DetailUTF8).Elem(len(l.v))
	}
	if l.v == nil {
		l.v = d.items.part(d.maker, run(), strsBlock)[:0]
	} else if len(l.v) == cap(l.v) {
		l.v = slices.Grow(l.v, run())
	}
	l.v = append(l.v, d.text(i, next-i))
	return nil
}

// element appends an empty message to a list and returns both. When the list is
// full it grows by a run.
func (d *decoder) element(m *Message, f *field, run func() int) (*messageList, *Message) {
	if !m.has(f) {
		m.setRef(f, &messageList{f: f})
	}
	l := (*m.ref(f)).(*messageList)
	if n := len(l.v); n == cap(l.v) {
		l.v = slices.Grow(l.v, run())
		clear(l.v[n:cap(l.v)])
	}
	d.left -= f.messageType().size()
	return l, next(l)
}

// next appends an empty message to a list that has room for it.
func next(l *messageList) *Message {
	n := len(l.v)
	if l.v[:n+1][n] == nil {
		fill(l.f.messageType(), l.v)
	}
	l.v = l.v[:n+1]
	return l.v[n]
}

// packed reads a packed list of numbers.
func (d *decoder) packed(m *Message, a *action, i, end int) *wire.Error {
	b := d.in[i:end]
	if len(b) == 0 {
		return nil
	}
	count, width := 0, 0
	switch a.op {
	case opPackedVarint:
		count = wire.CountVarints(b)
	case opPackedFixed32:
		count, width = len(b)/4, 4
	case opPackedFixed64:
		count, width = len(b)/8, 8
	}
	if count == 0 || count*width != 0 && count*width != len(b) {
		return wire.NewMalformed(wire.DetailTruncated)
	}
	f := a.field
	l := numbersOf(m, f)
	l.v = slices.Grow(l.v, count)
	for i := 0; i < len(b); {
		var x uint64
		switch {
		case width == 4:
			x = uint64(wire.Uint32(b[i:]))
			i += 4
		case width == 8:
			x = wire.Uint64(b[i:])
			i += 8
		case b[i] < 0x80:
			x = f.normal(uint64(b[i]))
			i++
		default:
			if x, i = wire.Varint(b, i); i <= 0 {
				return wire.Malformed(i)
			}
			x = f.normal(x)
		}
		if f.rejects(x) {
			d.keepNumber(m, f, x)
			continue
		}
		l.v = append(l.v, x)
	}
	return nil
}

// numbersOf returns the list of a field, and creates it if it is not set.
func numbersOf(m *Message, f *field) *numberList {
	if m.has(f) {
		return (*m.ref(f)).(*numberList)
	}
	l := &numberList{f: f}
	m.setRef(f, l)
	return l
}
