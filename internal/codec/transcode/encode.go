package transcode

import (
	"slices"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
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
	return p.encode(dst, msg, nil, opts)
}

// encode appends the JSON of msg or, unless f is nil, of that field.
func (p *Plan) encode(dst, msg []byte, f *field, opts EncodeOptions) ([]byte, error) {
	e := encoders.Get().(*encoder) //nolint:forcetypeassert // the pool has only encoders
	e.plans, e.in, e.opts = p.plans, msg, opts
	e.collect, e.plain = false, !opts.ProtoNames && !opts.Indent
	e.fill = opts.EmitDefaults || opts.EmitUnpopulated
	err := e.document(p, f, dst)
	if err == errAgain {
		e.collect = true
		err = e.document(p, f, dst)
	}
	out := e.out
	e.release()
	if err != nil {
		slices.Reverse(err.Path)
		return dst, err
	}
	return out, nil
}

// errAgain means that the document has to be written again: see encoder.collect.
var errAgain = &Error{Problem: "the message may be wrong", whole: true}

// document writes the whole document, from the start.
func (e *encoder) document(p *Plan, f *field, dst []byte) *Error {
	e.out, e.depth, e.level, e.partial = dst, maxDepth, 0, e.opts.Lenient
	e.records, e.slots, e.entries = e.records[:1], e.slots[:0], e.entries[:0]
	if f != nil {
		return e.part(p, f)
	}
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
	plain   bool // the options leave keys as they are
	fill    bool // the options write fields that are not set

	// Collect the fields of all messages before writing them. That is so after an error: fields
	// that come later decide whether it is one.
	collect bool

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

// messageAt writes the message in in[start:end].
func (e *encoder) messageAt(p *Plan, start, end int) *Error {
	records := len(e.records)
	err := e.message(p, e.span(start, end))
	e.records = e.records[:records]
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

// fieldKey writes the key of a field, with its colon.
func (e *encoder) fieldKey(f *field) {
	switch {
	case e.plain && e.out[len(e.out)-1] == '{':
		e.out = append(e.out, f.jsonKey...)
	case e.plain:
		n := len(e.out)
		if len(f.member) > shortKey || cap(e.out)-n < shortKey {
			e.out = append(e.out, f.member...)
			return
		}
		e.out = e.out[:n+shortKey]
		*(*[shortKey]byte)(e.out[n:]) = f.short
		e.out = e.out[:n+len(f.member)]
	case e.opts.ProtoNames:
		e.key(f.protoKey)
	default:
		e.key(f.jsonKey)
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
