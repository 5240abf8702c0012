package transcode

import (
	"fmt"
	"math/bits"
	"slices"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
	"github.com/dyngate/dyngate/internal/codec/wire"
)

const maxDepth = wire.MaxDepth

// DecodeOptions configure reading JSON. The zero value is the format's default.
type DecodeOptions struct {
	// IgnoreUnknown skips unknown fields and unknown names of enums.
	IgnoreUnknown bool

	// AllowPartial accepts messages that lack required fields.
	AllowPartial bool
}

// AppendWire appends the message in doc to dst, in the binary format. After an
// error the result is dst.
func (p *Plan) AppendWire(dst, doc []byte, opts DecodeOptions) ([]byte, error) {
	d := decoders.Get().(*decoder) //nolint:forcetypeassert // the pool has only decoders
	d.plans, d.in, d.pos, d.out, d.opts, d.depth = p.plans, doc, 0, dst, opts, maxDepth
	err := d.document(p)
	out := d.out
	d.release()
	if err != nil {
		return dst, err.finish(doc)
	}
	return out, nil
}

// decoder reads one document.
type decoder struct {
	scanner
	out   []byte
	opts  DecodeOptions
	depth int // how many more levels of messages are allowed

	seen []uint64  // bits of the fields and oneofs of each message being read
	keys []*keySet // of the maps being read, and unused ones of earlier maps
	maps int       // how many maps are being read

	missing [][]Step // the paths of missing required fields, the innermost step first

	plans *Plans
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// keptBuffer limits the buffers that a decoder or encoder keeps for reuse.
const keptBuffer = 64 << 10

func (d *decoder) release() {
	d.plans, d.in, d.out, d.seen, d.maps, d.missing = nil, nil, nil, d.seen[:0], 0, nil
	if cap(d.unescaped) > keptBuffer {
		d.unescaped = nil
	}
	decoders.Put(d)
}

func (d *decoder) document(p *Plan) *Error {
	if d.space(); d.pos == len(d.in) {
		return &Error{Problem: "the JSON is empty", offset: d.pos}
	}
	if err := d.message(p); err != nil {
		return err
	}
	if d.space(); d.pos < len(d.in) {
		return d.unexpected("the end of the JSON")
	}
	if d.missing != nil {
		for _, path := range d.missing {
			slices.Reverse(path)
		}
		return &Error{Problem: "required fields are not set", Missing: d.missing}
	}
	return nil
}

// message reads the message at pos and appends its fields.
func (d *decoder) message(p *Plan) *Error {
	if d.depth--; d.depth < 0 {
		return d.tooDeep()
	}
	var err *Error
	if p.kind == wellknown.None {
		err = d.object(p, false)
	} else {
		err = d.wellKnown(p)
	}
	d.depth++
	return err
}

// object reads the object at pos. If inAny, it skips the key "@type".
func (d *decoder) object(p *Plan, inAny bool) *Error {
	if d.space() != '{' {
		return d.mismatch(d.pos, wantedMessage(p))
	}
	d.pos++
	base := len(d.seen)
	for range p.words {
		d.seen = append(d.seen, 0)
	}
	var extensions []*field
	next := 0
	for first := true; ; first = false {
		more, err := d.more('}', first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		at := d.pos
		f, err := d.field(p, next, inAny, &extensions)
		if err != nil {
			return d.inKey(err, at)
		}
		if f == nil {
			continue
		}
		next = f.index + 1
		missing := len(d.missing)
		if err := d.fieldValue(p, f, base); err != nil {
			return d.inKey(err, at)
		}
		if len(d.missing) != missing {
			d.missingIn(missing, Step{Key: d.keyAt(at), Index: -1})
		}
	}
	if len(p.required) > 0 && !d.opts.AllowPartial {
		d.checkRequired(p, base)
	}
	d.seen = d.seen[:base]
	return nil
}

// inKey adds the key at a position to an error's path.
func (d *decoder) inKey(err *Error, at int) *Error {
	if err.Syntax || err.whole {
		return err
	}
	return err.in(d.keyAt(at))
}

// keyAt reads the key at a position again, for an error.
func (d *decoder) keyAt(at int) string {
	again := scanner{in: d.in, pos: at}
	key, _ := again.key()
	return string(key)
}

// missingIn adds a step to the paths in missing[first:].
func (d *decoder) missingIn(first int, s Step) {
	for i := first; i < len(d.missing); i++ {
		d.missing[i] = append(d.missing[i], s)
	}
}

// field reads a key and finds its field. The result is nil if it skipped the
// value. next is the index of the most likely field.
func (d *decoder) field(p *Plan, next int, inAny bool, extensions *[]*field) (*field, *Error) {
	if next < len(p.fields) {
		f := p.fields[next]
		if end := d.pos + len(f.jsonKey); end < len(d.in) && string(d.in[d.pos:end]) == f.jsonKey {
			d.pos = end
			return f, nil
		}
	}
	start := d.pos
	key, err := d.key()
	if err != nil {
		return nil, err
	}
	if f := p.byName[string(key)]; f != nil {
		return f, nil
	}
	isExtension := len(key) > 1 && key[0] == '[' && key[len(key)-1] == ']'
	switch {
	case inAny && string(key) == "@type":
		return nil, d.skip(maxDepth)
	case isExtension:
		f, err := d.extension(p, string(key[1:len(key)-1]), start, *extensions)
		if err != nil {
			return nil, err
		}
		if f != nil {
			*extensions = append(*extensions, f)
			return f, nil
		}
	}
	switch {
	case d.opts.IgnoreUnknown:
		return nil, d.skip(d.depth)
	case isExtension:
		return nil, &Error{Problem: "unknown extension", offset: start}
	}
	return nil, unknown(p.desc, "field", string(key), p.names(), start)
}

// extension finds an extension by its full name. The result is nil if it is unknown.
func (d *decoder) extension(p *Plan, name string, start int, earlier []*field) (*field, *Error) {
	xt, err := p.plans.types.FindExtensionByName(protoreflect.FullName(name))
	if err != nil || xt == nil {
		return nil, nil //nolint:nilnil,nilerr // the caller reports it as unknown
	}
	xd := xt.TypeDescriptor()
	if of := xd.ContainingMessage().FullName(); of != p.desc.FullName() || !p.desc.ExtensionRanges().Has(xd.Number()) {
		return nil, &Error{Problem: fmt.Sprintf("it extends %s, not %s", of, p.desc.FullName()), offset: start}
	}
	f := p.plans.extension(xd)
	if slices.ContainsFunc(earlier, func(e *field) bool { return e.desc.Number() == f.desc.Number() }) {
		return nil, &Error{Problem: "the field is set twice", offset: start}
	}
	return f, nil
}

// mark sets a bit of the message whose bits begin at base, and reports whether
// it was already set.
func (d *decoder) mark(base, bit int) bool {
	word, mask := &d.seen[base+bit/64], uint64(1)<<(bit%64)
	was := *word&mask != 0
	*word |= mask
	return was
}

// isMarked reports whether a bit is set.
func (d *decoder) isMarked(base, bit int) bool { return d.seen[base+bit/64]>>(bit%64)&1 != 0 }

// fieldValue reads the value of a field of p.
func (d *decoder) fieldValue(p *Plan, f *field, base int) *Error {
	if f.index >= 0 && d.mark(base, f.index) {
		return d.setTwice(f)
	}
	if d.space() == 'n' && !f.isValue && !f.isNull {
		if !d.literal("null") {
			return d.unexpected("a value")
		}
		d.unset(f)
		return nil
	}
	switch {
	case f.keyField != nil:
		return d.mapField(f)
	case f.list:
		return d.listField(f)
	case f.oneof >= 0 && d.mark(base, f.oneof):
		return d.setOneof(p, f, base)
	}
	before := len(d.out)
	if err := d.singular(f); err != nil {
		return err
	}
	if f.required && len(d.out) == before { // an unknown name of an enum
		d.unset(f)
	}
	return nil
}

// unset handles a field that has a key but no value.
func (d *decoder) unset(f *field) {
	if f.required && !d.opts.AllowPartial {
		d.missing = append(d.missing, nil) // the caller adds its name
	}
}

func (d *decoder) setTwice(f *field) *Error {
	problem := "the field is set twice"
	if f.jsonKey != f.protoKey {
		problem += fmt.Sprintf(": %q and %q are the same field", f.name, f.desc.TextName())
	}
	return &Error{Problem: problem, offset: d.pos}
}

func (d *decoder) setOneof(p *Plan, f *field, base int) *Error {
	var others []string
	for _, other := range p.fields {
		if other.oneof == f.oneof && other != f && d.isMarked(base, other.index) {
			others = append(others, other.name)
		}
	}
	problem := fmt.Sprintf("only one field of the oneof %s can be set", f.desc.ContainingOneof().FullName())
	if len(others) == 1 { // others may be null
		problem += fmt.Sprintf(", and %q already is", others[0])
	}
	return &Error{Problem: problem, offset: d.pos}
}

// checkRequired records the required fields without a key in a message.
func (d *decoder) checkRequired(p *Plan, base int) {
	for _, f := range p.required {
		if !d.isMarked(base, f.index) {
			d.missing = append(d.missing, []Step{{Key: f.name, Index: -1}})
		}
	}
}

// singular reads a field that is neither a list nor a map.
func (d *decoder) singular(f *field) *Error {
	if f.message != nil {
		return d.messageField(f)
	}
	before := len(d.out)
	d.out = protowire.AppendVarint(d.out, f.tag)
	value := len(d.out)
	ok, err := d.scalar(f)
	if err != nil {
		return err
	}
	if !ok || !f.presence && isZero(d.out[value:]) {
		d.out = d.out[:before]
	}
	return nil
}

// isZero reports whether an encoded value is its type's zero value.
func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// messageField reads a message and appends it as a field.
func (d *decoder) messageField(f *field) *Error {
	d.out = protowire.AppendVarint(d.out, f.tag)
	if f.kind == protoreflect.GroupKind {
		if err := d.message(f.message.get()); err != nil {
			return err
		}
		d.out = protowire.AppendVarint(d.out, f.tag+1)
		return nil
	}
	start := d.open()
	if err := d.message(f.message.get()); err != nil {
		return err
	}
	d.close(start)
	return nil
}

// open reserves space for the length of the following bytes.
func (d *decoder) open() (start int) {
	d.out = append(d.out, 0)
	return len(d.out)
}

// close writes the length of the bytes appended since open returned start.
func (d *decoder) close(start int) {
	n := len(d.out) - start
	if n < 0x80 {
		d.out[start-1] = byte(n)
		return
	}
	extra := (bits.Len(uint(n))+6)/7 - 1
	for range extra {
		d.out = append(d.out, 0)
	}
	copy(d.out[start+extra:], d.out[start:start+n])
	protowire.AppendVarint(d.out[:start-1], uint64(n))
}

// listField reads an array and appends its elements.
func (d *decoder) listField(f *field) *Error {
	if d.space() != '[' {
		return d.mismatch(d.pos, wantedList(f))
	}
	d.pos++
	packed := 0
	if f.packed != 0 {
		d.out = protowire.AppendVarint(d.out, f.packed)
		packed = d.open()
	}
	for i := 0; ; i++ {
		more, err := d.more(']', i == 0)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		missing := len(d.missing)
		if err := d.element(f); err != nil {
			return err.at(i)
		}
		if len(d.missing) != missing {
			d.missingIn(missing, Step{Index: i})
		}
	}
	if packed > 0 && len(d.out) == packed { // no elements
		d.out = d.out[:packed-1-protowire.SizeVarint(f.packed)]
	} else if packed > 0 {
		d.close(packed)
	}
	return nil
}

// element reads an element of a list.
func (d *decoder) element(f *field) *Error {
	if f.message != nil {
		return d.messageField(f)
	}
	before := len(d.out)
	if f.packed == 0 {
		d.out = protowire.AppendVarint(d.out, f.tag)
	}
	ok, err := d.scalar(f)
	if !ok {
		d.out = d.out[:before]
	}
	return err
}
