package dynamic

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// entry reads one entry of a map. It returns false when the entry is to be kept
// as unknown: its value is a number that a closed enum does not have.
func (d *decoder) entry(m *Message, f *field, i, end int, run func() int) (bool, *wire.Error) {
	if d.depth <= 0 {
		return true, wire.NewMalformed(wire.DetailDepth)
	}
	if d.left < 0 {
		return true, wire.NewMalformed(detailMemory)
	}
	if f.texts {
		t := d.tableOf(m, f, run).(*textTable)
		if d.textEntry(t, i, end) {
			return true, nil
		}
	}
	d.depth--
	var key scalar
	value := scalar{number: f.value.initial}
	known := true
	b := d.in[:end]
	for i < end {
		tag, at := wire.Tag(b, i)
		if at <= 0 {
			return true, wire.Malformed(at)
		}
		var err *wire.Error
		switch tag {
		case f.key.tag:
			i, _, err = d.scalar(f.key, &key, at, end)
		case f.value.tag:
			i, known, err = d.scalar(f.value, &value, at, end)
		default:
			i, err = wire.Skip(b, at, tag, d.depth)
		}
		if err != nil {
			return true, err.In("[" + f.key.label(key) + "]")
		}
	}
	d.depth++
	if !known {
		return false, nil
	}
	if f.value.class == message && value.message == nil {
		value.message = d.part(f.value.messageType())
		d.depth--
		d.leave(value.message)
	}
	d.tableOf(m, f, run).put(key, value)
	return true, nil
}

// textEntry reads an entry of two short strings as every encoder writes it: the
// key, then the value, and nothing else. It returns false for all others.
func (d *decoder) textEntry(t *textTable, i, end int) bool {
	b := d.in[i:end]
	if len(b) < 4 || b[0] != 1<<3|byte(protowire.BytesType) {
		return false
	}
	n := int(b[1])
	if n >= 0x80 || len(b) < n+4 || b[n+2] != 2<<3|byte(protowire.BytesType) || len(b) != n+4+int(b[n+3]) || b[n+3] >= 0x80 {
		return false
	}
	if f := t.f; f.key.utf8 && !utf8.Valid(b[2:n+2]) || f.value.utf8 && !utf8.Valid(b[n+4:]) {
		return false
	}
	key := d.text(i+2, n)
	t.store(key, d.text(i+n+4, len(b)-n-4))
	return true
}

// label is a key as paths have it.
func (f *field) label(key scalar) string {
	if f.class == text {
		return wire.Label(key.text)
	}
	return f.boxNumber(key.number).String()
}

// tableOf returns the map of a field, made if it is not there yet.
func (d *decoder) tableOf(m *Message, f *field, run func() int) mapping {
	if m.has(f) {
		return (*m.ref(f)).(mapping)
	}
	if f.texts {
		t := d.tables.part(d.maker)
		t.f = f
		t.entries = d.pairs.part(d.maker, run(), strsBlock)[:0]
		m.setRef(f, t)
		return t
	}
	t := f.newTable()
	t.reserve(min(run(), maxReserve))
	m.setRef(f, t)
	return t
}

// maxReserve bounds what entries with equal keys can claim in advance.
const maxReserve = 256

// scalar reads one value in the field's wire type, from i on. A message merges
// into what v has. It returns where the value ends, and false if it is a number
// that a closed enum does not have.
func (d *decoder) scalar(f *field, v *scalar, i, end int) (int, bool, *wire.Error) {
	b := d.in[:end]
	switch f.wire {
	case protowire.VarintType:
		x, next := wire.Varint(b, i)
		if next <= 0 {
			return 0, true, wire.Malformed(next)
		}
		v.number = f.normal(x)
		return next, !f.rejects(x), nil
	case protowire.Fixed32Type:
		if len(b)-i < 4 {
			return 0, true, wire.NewMalformed(wire.DetailTruncated)
		}
		v.number = uint64(wire.Uint32(b[i:]))
		return i + 4, true, nil
	case protowire.Fixed64Type:
		if len(b)-i < 8 {
			return 0, true, wire.NewMalformed(wire.DetailTruncated)
		}
		v.number = wire.Uint64(b[i:])
		return i + 8, true, nil
	}
	n, at := wire.Length(b, i)
	if at <= 0 {
		return 0, true, wire.Malformed(at)
	}
	return at + n, true, d.content(f, v, at, at+n)
}

// content reads a string, bytes or a message, which is from i to end.
func (d *decoder) content(f *field, v *scalar, i, end int) *wire.Error {
	switch f.class {
	case text:
		v.text = d.text(i, end-i)
		if !(texts{}).valid(f, v.text) {
			return wire.NewMalformed(wire.DetailUTF8)
		}
	case blob:
		v.blob = append([]byte{}, d.in[i:end]...)
	default:
		if v.message == nil {
			v.message = d.part(f.messageType())
		}
		_, err := d.message(v.message, i, end, 0)
		return err
	}
	return nil
}

// unknown keeps a field that the type does not have, unless it is an extension.
// The field is from start to end, its value begins at i.
func (d *decoder) unknown(m *Message, tag uint64, start, i, end int) *wire.Error {
	if tag>>3 == 0 {
		return wire.NewMalformed(wire.DetailTag)
	}
	if m.typ.extended && d.resolver != nil {
		known, err := d.extension(m, tag, i, end)
		if known || err != nil {
			return err
		}
	}
	if !d.discard {
		e := m.ensureExtra()
		e.unknown = append(e.unknown, d.in[start:end]...)
	}
	return nil
}

// keepNumber keeps one number of a packed list as an unknown field of its own.
func (d *decoder) keepNumber(m *Message, f *field, x uint64) {
	if d.discard {
		return
	}
	e := m.ensureExtra()
	e.unknown = protowire.AppendTag(e.unknown, f.fd.Number(), protowire.VarintType)
	e.unknown = protowire.AppendVarint(e.unknown, x)
}
