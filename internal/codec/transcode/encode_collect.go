package transcode

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// fields writes the members of a message.
func (e *encoder) fields(p *Plan, content int) *Error {
	if e.collect || e.records[content].next != 0 || p.disorder.Load() {
		return e.collected(p, content)
	}
	before, records := len(e.out), len(e.records)
	done, err := e.inOrder(p, e.records[content])
	if done || err != nil {
		return err
	}
	e.out, e.records = e.out[:before], e.records[:records]
	if err = e.collected(p, content); err == nil {
		p.disorder.Store(true) // the next message most likely comes from the same encoder
	}
	return err
}

// collected writes the members of a message after collecting them.
func (e *encoder) collected(p *Plan, content int) *Error {
	records := len(e.records)
	base := len(e.slots)
	e.slots = slices.Grow(e.slots, len(p.fields)+p.oneofs)
	e.slots = e.slots[:base+len(p.fields)+p.oneofs]
	clear(e.slots[base:])
	var extensions []extension
	for r := content; r != 0; r = e.records[r].next {
		var err *Error
		if extensions, err = e.scan(p, e.records[r], base, extensions); err != nil {
			return err
		}
	}
	for i, f := range p.fields {
		if err := e.field(f, e.slots[base+i].first); err != nil {
			return err.in(f.name)
		}
	}
	for _, x := range extensions {
		if err := e.field(x.field, x.slot.first); err != nil {
			return err.in(x.field.name)
		}
	}
	e.records, e.slots = e.records[:records], e.slots[:base]
	return nil
}

// extension is an extension set in a message.
type extension struct {
	field *field
	slot  slot
}

// scan adds the fields in the content of a message to their slots, which begin at
// base, or to its extensions, which are sorted by name.
func (e *encoder) scan(p *Plan, content record, base int, extensions []extension) ([]extension, *Error) {
	in := e.in[:content.end]
	for i := content.start; i < len(in); {
		tag, r, end, err := nextField(in, i)
		if err != nil {
			return nil, err
		}
		i = end
		f := p.number(tag >> 3)
		if f == nil {
			f = e.extension(p, tag)
		}
		if f == nil || !f.accepts(tag) {
			continue // an unknown field
		}
		if f.enum != nil && r.typ == protowire.VarintType && !f.enum.has(e.bits(f, r.start)) {
			continue
		}
		var to *slot
		if f.index >= 0 {
			to = &e.slots[base+f.index]
		} else {
			to, extensions = extensionSlot(f, extensions)
		}
		if err := e.add(p, f, to, base, r); err != nil {
			return nil, err
		}
	}
	return extensions, nil
}

// packable reports whether elements of the field can be packed.
func (f *field) packable() bool {
	return f.list && f.message == nil && f.kind != protoreflect.StringKind && f.kind != protoreflect.BytesKind
}

// nextField reads the field at in[i:], which ends within in. It returns the tag, the
// value (without the length of a message or the end tag of a group), and the
// end of the field.
func nextField(in []byte, i int) (tag uint64, value record, end int, err *Error) {
	// Most fields have a tag of one byte and a length or number of one byte.
	if i+1 < len(in) && in[i] >= 1<<3 && in[i] < 0x80 {
		tag, c, start := uint64(in[i]), in[i+1], i+1
		switch protowire.Type(tag & 7) {
		case protowire.VarintType:
			if c < 0x80 {
				return tag, record{start: start, end: i + 2, typ: protowire.VarintType}, i + 2, nil
			}
		case protowire.BytesType:
			if end = i + 2 + int(c); c < 0x80 && end <= len(in) {
				return tag, record{start: i + 2, end: end, typ: protowire.BytesType}, end, nil
			}
		case protowire.Fixed64Type:
			if end = start + 8; end <= len(in) {
				return tag, record{start: start, end: end, typ: protowire.Fixed64Type}, end, nil
			}
		}
	}
	tag, start := wire.Tag(in, i)
	if start <= 0 {
		return 0, record{}, 0, malformed(wire.Malformed(start))
	}
	value = record{start: start, typ: protowire.Type(tag & 7)}
	var wrong *wire.Error
	if value.typ == protowire.StartGroupType {
		value.end, end, wrong = wire.SkipGroup(in, start, tag>>3, maxDepth)
	} else {
		end, wrong = wire.Skip(in, start, tag, maxDepth)
		value.end = end
	}
	if wrong != nil {
		return 0, record{}, 0, malformed(wrong)
	}
	if value.typ == protowire.BytesType {
		_, value.start = wire.Length(in, start)
	}
	return tag, value, end, nil
}

// add adds a record to a slot. The last value of a singular field, and the last
// field of a oneof, replace earlier ones. Messages are merged instead.
func (e *encoder) add(p *Plan, f *field, to *slot, base int, r record) *Error {
	if f.oneof >= 0 {
		last := &e.slots[base+f.oneof]
		if last.first != f.index+1 && last.first != 0 {
			other := &e.slots[base+last.first-1]
			if err := e.checkReplaced(p.fields[last.first-1], other.first); err != nil {
				return err
			}
			*other = slot{}
		}
		last.first = f.index + 1
	}
	e.records = append(e.records, r)
	n := len(e.records) - 1
	switch {
	case to.first == 0:
		*to = slot{n, n}
		return nil
	case !f.list && f.message == nil && f.keyField == nil:
		replaced := to.first
		*to = slot{n, n}
		return e.checkReplaced(f, replaced)
	}
	e.records[to.last].next = n
	to.last = n
	return nil
}

// extension returns the extension with a tag, or nil.
func (e *encoder) extension(p *Plan, tag uint64) *field {
	number := protowire.Number(tag >> 3)
	if !p.desc.ExtensionRanges().Has(number) {
		return nil
	}
	xt, err := e.plans.types.FindExtensionByNumber(p.desc.FullName(), number)
	if err != nil || xt == nil {
		return nil
	}
	return e.plans.extension(xt.TypeDescriptor())
}

// extensionSlot returns the slot of an extension. The extensions are sorted by name.
func extensionSlot(f *field, extensions []extension) (*slot, []extension) {
	i, known := slices.BinarySearchFunc(extensions, f, func(x extension, f *field) int {
		return strings.Compare(x.field.name, f.name)
	})
	if !known {
		extensions = slices.Insert(extensions, i, extension{field: f})
	}
	return &extensions[i].slot, extensions
}

// malformed converts an error of the binary format to an error of this package.
func malformed(err *wire.Error) *Error {
	return &Error{Problem: "the message is malformed: " + err.Error()}
}
