package transcode

import (
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
	"github.com/dyngate/dyngate/internal/codec/wire"
)

// EncodeOptions configure writing JSON. The zero value is the format's default,
// on one line without white space.
type EncodeOptions struct {
	// EmitDefaults writes fields without presence that have their zero value, and
	// empty lists and maps. EmitUnpopulated also writes null for fields with
	// presence that are not set, except for those in a oneof.
	EmitDefaults, EmitUnpopulated bool

	// ProtoNames uses the names of the schema instead of JSON names.
	ProtoNames bool

	// EnumNumbers writes enums as numbers.
	EnumNumbers bool

	// Indent writes each value on its own line, indented by two spaces for each
	// level.
	Indent bool

	// Lenient allows messages without required fields, and writes an Any that
	// cannot be decoded as its type URL and its bytes in base64: {"@type":
	// "type.googleapis.com/shop.Item", "@value": "CgRuYW1l"}.
	Lenient bool
}

// AppendJSON appends the JSON of msg, which is in the binary format, to dst.
// The same bytes always produce the same text. After an error the result is
// dst.
func (p *Plan) AppendJSON(dst, msg []byte, opts EncodeOptions) ([]byte, error) {
	e := encoders.Get().(*encoder) //nolint:forcetypeassert // the pool has only encoders
	e.plans, e.in, e.opts = p.plans, msg, opts
	e.disorder = p.disorder.Load()
	err := e.document(p, dst)
	if err == errDisorder {
		e.disorder = true
		if err = e.document(p, dst); err == nil {
			p.disorder.Store(true) // the next message will most likely come from the same encoder
		}
	}
	out := e.out
	e.release()
	if err != nil {
		slices.Reverse(err.Path)
		return dst, err
	}
	return out, nil
}

// errDisorder means that fields do not come in order: see encoder.disorder.
var errDisorder = &Error{Problem: "a field is out of order", whole: true}

// document writes the whole document, from the start.
func (e *encoder) document(p *Plan, dst []byte) *Error {
	e.out, e.depth, e.level, e.partial = dst, maxDepth, 0, e.opts.Lenient
	e.records, e.slots, e.entries = e.records[:1], e.slots[:0], e.entries[:0]
	return e.message(p, e.span(0, len(e.in)))
}

// encoder writes one document.
type encoder struct {
	plans   *Plans
	in, out []byte
	opts    EncodeOptions
	depth   int  // how many more levels of messages are allowed
	level   int  // of indentation
	partial bool // required fields may be missing

	// A field has come out of order, or there was an error. The document is written again,
	// and the fields of all its messages are collected before they are written.
	disorder bool

	records []record
	slots   []slot
	entries []entry
}

// record is an occurrence of a field: its value is in[start:end].
type record struct {
	start, end int
	typ        protowire.Type
	next       int // the index of the next record of the field; 0 for none
}

// slot is the list of the records of a field.
type slot struct{ first, last int }

var encoders = sync.Pool{New: func() any { return &encoder{records: make([]record, 1, 64)} }}

// keptRecords limits the records, slots and entries that an encoder keeps for
// reuse.
const keptRecords = 4096

func (e *encoder) release() {
	e.plans, e.in, e.out = nil, nil, nil
	e.records, e.slots, e.entries = e.records[:1], e.slots[:0], e.entries[:0]
	if cap(e.records) > keptRecords {
		e.records = make([]record, 1, 64)
	}
	if cap(e.slots) > keptRecords {
		e.slots = nil
	}
	if cap(e.entries) > keptRecords {
		e.entries = nil
	}
	encoders.Put(e)
}

// span adds a record of in[start:end], and returns a list of only that record.
func (e *encoder) span(start, end int) int {
	e.records = append(e.records, record{start: start, end: end, typ: protowire.BytesType})
	return len(e.records) - 1
}

// message writes the message whose content is in the list of records: several
// if the message occurs several times, which are merged.
func (e *encoder) message(p *Plan, content int) *Error {
	if e.depth--; e.depth < 0 {
		return (&scanner{}).tooDeep()
	}
	var err *Error
	if p.kind == wellknown.None {
		e.begin('{')
		err = e.fields(p, content)
		e.end('}')
	} else {
		err = e.wellKnown(p, content)
	}
	e.depth++
	return err
}

// begin starts an object or array.
func (e *encoder) begin(bracket byte) {
	e.out = append(e.out, bracket)
	e.level++
}

// end ends an object or array.
func (e *encoder) end(bracket byte) {
	e.level--
	if last := e.out[len(e.out)-1]; e.opts.Indent && last != '{' && last != '[' {
		e.newline()
	}
	e.out = append(e.out, bracket)
}

// separate writes the comma and white space before a member or an element.
func (e *encoder) separate() {
	if last := e.out[len(e.out)-1]; last != '{' && last != '[' {
		e.out = append(e.out, ',')
	}
	if e.opts.Indent {
		e.newline()
	}
}

// maxIndent is the maximum level of indentation: the text of a deeply nested
// message would be mostly spaces.
const maxIndent = 32

func (e *encoder) newline() {
	e.out = append(e.out, '\n')
	for range min(e.level, maxIndent) {
		e.out = append(e.out, ' ', ' ')
	}
}

// key writes a key of an object, with its colon.
func (e *encoder) key(key string) {
	e.separate()
	e.out = append(e.out, key...)
	if e.opts.Indent {
		e.out = append(e.out, ' ')
	}
}

// fields writes the members of a message.
func (e *encoder) fields(p *Plan, content int) *Error {
	if !e.disorder {
		if e.records[content].next != 0 || !e.inOrder(p, e.records[content]) {
			return errDisorder
		}
		return nil
	}
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
	if i+1 < len(in) && in[i] >= 1<<3 && in[i] < 0x80 && in[i+1] < 0x80 {
		switch typ, start := protowire.Type(in[i]&7), i+2; typ {
		case protowire.VarintType:
			return uint64(in[i]), record{start: i + 1, end: start, typ: typ}, start, nil
		case protowire.BytesType:
			if end = start + int(in[i+1]); end <= len(in) {
				return uint64(in[i]), record{start: start, end: end, typ: typ}, end, nil
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
