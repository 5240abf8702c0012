package dynamic

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// decoder is the state of reading one message. Positions are relative to the start
// of the input.
type decoder struct {
	in       []byte
	resolver protoregistry.ExtensionTypeResolver // nil for none
	depth    int                                 // how many more levels of messages may be entered
	discard  bool                                // unknown fields are dropped
	partial  bool                                // some message lacked a required field
	foreign  bool                                // an extension of another implementation was read

	// chunk is a copy of the input from chunkAt on. Strings are parts of it.
	chunk   string
	chunkAt int

	*maker // nil for a leaf, which has no parts
}

// Strings of up to maxShared bytes share chunks of maxChunk bytes. So a string that
// is kept keeps at most one chunk.
const (
	maxShared = 256
	maxChunk  = 1024
)

// text returns the string of n bytes at i. The chunk is an unchanged copy of the
// input, tags included: one copy serves many strings.
func (d *decoder) text(i, n int) string {
	at := i - d.chunkAt
	if at >= 0 && n <= len(d.chunk)-at {
		return d.chunk[at : at+n]
	}
	if n > maxShared {
		return string(d.in[i : i+n])
	}
	d.chunk = string(d.in[i:min(len(d.in), i+maxChunk)])
	d.chunkAt = i
	return d.chunk[:n]
}

// message reads the fields from i to end into m, merging into what is there. A
// group ends with its end-group tag instead, which is the argument group; that is 0
// for other messages. It returns where the message ends.
//
//nolint:funlen // the hot loop, which would pay for every call
func (d *decoder) message(m *Message, i, end int, group uint64) (int, *wire.Error) {
	if d.depth <= 0 {
		return 0, wire.NewMalformed(wire.DetailDepth)
	}
	if d.maker != nil && d.left < 0 {
		return 0, wire.NewMalformed(detailMemory)
	}
	d.depth--
	b, nums := d.in[:end], m.numsOf()
	for i < len(b) {
		start := i
		tag := uint64(b[i])
		i++
		if tag >= 0x80 {
			if tag, i = wire.Tag(b, start); i <= 0 {
				return 0, wire.Malformed(i)
			}
		}
		a := m.typ.action(tag)
		f, value := a.field, i
		var err *wire.Error
		switch protowire.Type(tag & 7) {
		case protowire.VarintType:
			var x uint64
			if i < len(b) && b[i] < 0x80 {
				x = uint64(b[i])
				i++
			} else if x, i = wire.Varint(b, i); i <= 0 {
				return 0, wire.Malformed(i).In(f.name())
			}
			if a.op == opVarint && f.known == nil {
				f.setNumber(nums, f.normal(x))
				continue
			}
			if a.op != opUnknown && !f.rejects(x) {
				d.number(m, a, f.normal(x))
				continue
			}
		case protowire.BytesType:
			var n int
			if i < len(b) && int(b[i]) < min(0x80, len(b)-i) {
				n = int(b[i])
				i++
			} else if n, i = wire.Length(b, i); i <= 0 {
				return 0, wire.Malformed(i).In(f.name())
			}
			at := i
			i += n
			switch a.op {
			case opText:
				if f.utf8 && !utf8.Valid(b[at:i]) {
					return 0, wire.NewMalformed(wire.DetailUTF8).In(f.name())
				}
				m.setText(f, d.text(at, n))
				continue
			case opMessage:
				if _, err = d.message(d.nested(m, f, at), at, i, 0); err != nil {
					return 0, err.In(f.name())
				}
				continue
			case opUnknown:
			default:
				known, err := d.delimited(m, a, start, at, i, end)
				if err != nil {
					return 0, err.In(f.name())
				}
				if known {
					continue
				}
			}
		case protowire.Fixed32Type:
			if len(b)-i < 4 {
				return 0, wire.NewMalformed(wire.DetailTruncated).In(f.name())
			}
			i += 4
			if a.op != opUnknown {
				d.number(m, a, uint64(wire.Uint32(b[value:])))
				continue
			}
		case protowire.Fixed64Type:
			if len(b)-i < 8 {
				return 0, wire.NewMalformed(wire.DetailTruncated).In(f.name())
			}
			i += 8
			if a.op != opUnknown {
				d.number(m, a, wire.Uint64(b[value:]))
				continue
			}
		default:
			if tag == group && group != 0 {
				d.leave(m)
				return i, nil
			}
			if a.op != opUnknown {
				if i, err = d.group(m, a, i, end, tag+1); err != nil { // the end-group wire type follows start-group
					return 0, err.In(f.name())
				}
				continue
			}
			if i, err = wire.Skip(b, i, tag, d.depth); err != nil {
				return 0, err
			}
		}
		if err = d.unknown(m, tag, start, value, i); err != nil {
			return 0, err
		}
	}
	if group != 0 {
		return 0, wire.NewMalformed(wire.DetailGroup)
	}
	d.leave(m)
	return i, nil
}

// detailMemory is the detail of errors about the limit on memory.
const detailMemory = "the messages take too much memory for the length of the input"

// part returns an empty message for a singular field, and counts its memory.
func (d *decoder) part(t *Type) *Message {
	d.left -= t.size()
	return d.single(t)
}

// leave ends a message.
func (d *decoder) leave(m *Message) {
	d.depth++
	d.partial = d.partial || m.typ.required != nil && !m.hasRequired()
}

// name returns the name of the field in errors.
func (f *field) name() string {
	if f == nil {
		return ""
	}
	return f.fd.TextName()
}

// number stores a number, or appends it to its list.
func (d *decoder) number(m *Message, a *action, x uint64) {
	if a.op < opLists {
		m.setNumber(a.field, x)
		return
	}
	l := numbersOf(m, a.field)
	l.v = append(l.v, x)
}

// nested returns the message of a field, and creates it if it is not set.
func (d *decoder) nested(m *Message, f *field, i int) *Message {
	if m.has(f) {
		return (*m.ref(f)).(*Message)
	}
	d.read = i
	sub := d.part(f.messageType())
	m.setRef(f, sub)
	return sub
}

// group reads a group, whose start tag has been read.
func (d *decoder) group(m *Message, a *action, i, end int, endTag uint64) (int, *wire.Error) {
	if a.op == opGroup {
		return d.message(d.nested(m, a.field, i), i, end, endTag)
	}
	l, sub := d.element(m, a.field, func() int { return 1 })
	i, err := d.message(sub, i, end, endTag)
	if err != nil {
		return 0, err.Elem(len(l.v) - 1)
	}
	return i, nil
}
