package transcode

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
	"github.com/dyngate/dyngate/internal/codec/wire"
	"github.com/dyngate/dyngate/internal/nearest"
)

const maxDepth = wire.MaxDepth

// DecodeOptions say how JSON is read. The zero value is the format's default.
type DecodeOptions struct {
	// IgnoreUnknown skips unknown fields and unknown names of enums.
	IgnoreUnknown bool

	// AllowPartial accepts messages that lack required fields.
	AllowPartial bool
}

// AppendWire appends the message that doc describes to dst in wire bytes. After an
// error the result is dst.
func (p *Plan) AppendWire(dst, doc []byte, opts DecodeOptions) ([]byte, error) {
	d := decoders.Get().(*decoder) //nolint:forcetypeassert // nothing else is in the pool
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
	depth int // of messages that may still be nested

	seen []uint64  // bits of the fields and oneofs of each message that is being read
	keys []*keySet // of the maps that are being read, and of those before
	maps int       // how many are being read

	plans *Plans
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// keptBuffer bounds the buffers that a decoder or encoder keeps for its next use.
const keptBuffer = 64 << 10

func (d *decoder) release() {
	d.plans, d.in, d.out, d.seen, d.maps = nil, nil, nil, d.seen[:0], 0
	if cap(d.unescaped) > keptBuffer {
		d.unescaped = nil
	}
	decoders.Put(d)
}

func (d *decoder) document(p *Plan) *Error {
	if err := d.message(p); err != nil {
		return err
	}
	if d.space(); d.pos < len(d.in) {
		return d.unexpected("the end of the JSON")
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

// object reads the object at pos. With inAny it may have a key "@type", which is
// skipped.
func (d *decoder) object(p *Plan, inAny bool) *Error {
	if d.space() != '{' {
		return d.mismatch(d.pos, "an object for "+string(p.desc.FullName()))
	}
	start := d.pos
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
		f, err := d.field(p, next, inAny, &extensions)
		if err != nil {
			return err
		}
		if f == nil {
			continue
		}
		next = f.index + 1
		if err := d.fieldValue(f, base); err != nil {
			return err
		}
	}
	err := d.checkRequired(p, base, start)
	d.seen = d.seen[:base]
	return err
}

// field reads a key and finds its field. The result is nil if the value has been
// skipped. Next is the index of the field that most likely comes.
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
	switch {
	case inAny && string(key) == "@type":
		return nil, d.skip(maxDepth)
	case len(key) > 1 && key[0] == '[' && key[len(key)-1] == ']':
		f, err := d.extension(p, string(key[1:len(key)-1]), start, *extensions)
		if err != nil {
			return nil, err
		}
		if f != nil {
			*extensions = append(*extensions, f)
			return f, nil
		}
	}
	if d.opts.IgnoreUnknown {
		return nil, d.skip(d.depth)
	}
	name := string(key)
	return nil, &Error{
		Problem: fmt.Sprintf("%s has no field %q", p.desc.FullName(), clip(name)),
		Near:    nearest.Names(name, p.names(), 3), offset: start,
	}
}

// extension finds an extension by its full name. The result is nil if it is unknown.
func (d *decoder) extension(p *Plan, name string, start int, earlier []*field) (*field, *Error) {
	xt, err := p.plans.types.FindExtensionByName(protoreflect.FullName(name))
	if err != nil || xt == nil {
		return nil, nil //nolint:nilnil,nilerr // the caller reports it as unknown
	}
	xd := xt.TypeDescriptor()
	if xd.ContainingMessage().FullName() != p.desc.FullName() || !p.desc.ExtensionRanges().Has(xd.Number()) {
		return nil, &Error{Problem: fmt.Sprintf("%s does not extend %s", clip(name), p.desc.FullName()), offset: start}
	}
	f := p.plans.extension(xd)
	if slices.ContainsFunc(earlier, func(e *field) bool { return e.desc.Number() == f.desc.Number() }) {
		return nil, &Error{Problem: fmt.Sprintf("the key %q appears twice", clip(f.name)), offset: start}
	}
	return f, nil
}

// mark sets a bit of the message whose bits begin at base, and reports whether it was
// set already.
func (d *decoder) mark(base, bit int) bool {
	word, mask := &d.seen[base+bit/64], uint64(1)<<(bit%64)
	was := *word&mask != 0
	*word |= mask
	return was
}

// fieldValue reads the value of a field.
func (d *decoder) fieldValue(f *field, base int) *Error {
	if f.index >= 0 && d.mark(base, f.index) {
		return (&Error{Problem: "the field is set twice", offset: d.pos}).in(f.name)
	}
	if d.space() == 'n' && !f.isValue && !f.isNull {
		if !d.literal("null") {
			return d.unexpected("a value")
		}
		if f.required && !d.opts.AllowPartial {
			return (&Error{Problem: "the required field is null", offset: d.pos}).in(f.name)
		}
		return nil
	}
	var err *Error
	switch {
	case f.keyField != nil:
		err = d.mapField(f)
	case f.list:
		err = d.listField(f)
	default:
		if f.oneof >= 0 && d.mark(base, f.oneof) {
			err = &Error{Problem: fmt.Sprintf("another field of the oneof %s is set", f.desc.ContainingOneof().Name()), offset: d.pos}
			break
		}
		before := len(d.out)
		err = d.singular(f)
		if err == nil && f.required && len(d.out) == before && !d.opts.AllowPartial { // an unknown name of an enum
			err = &Error{Problem: "the required field is not set", offset: d.pos}
		}
	}
	if err != nil && !err.Syntax {
		return err.in(f.name)
	}
	return err
}

// checkRequired makes sure that the message which began at start has its required
// fields.
func (d *decoder) checkRequired(p *Plan, base, start int) *Error {
	if len(p.required) == 0 || d.opts.AllowPartial {
		return nil
	}
	var missing []string
	for _, f := range p.required {
		if d.seen[base+f.index/64]>>(f.index%64)&1 == 0 {
			missing = append(missing, f.name)
		}
	}
	if missing == nil {
		return nil
	}
	return &Error{Problem: "required fields are not set: " + strings.Join(missing, ", "), offset: start}
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

// isZero reports whether a value that was just written is its type's zero.
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

// open makes room for the length of what follows.
func (d *decoder) open() (start int) {
	d.out = append(d.out, 0)
	return len(d.out)
}

// close writes the length of what was appended since open returned start.
func (d *decoder) close(start int) {
	n := len(d.out) - start
	if n < 0x80 {
		d.out[start-1] = byte(n)
		return
	}
	extra := (bits.Len(uint(n))+6)/7 - 1 //nolint:gosec // not negative
	for range extra {
		d.out = append(d.out, 0)
	}
	copy(d.out[start+extra:], d.out[start:start+n])
	protowire.AppendVarint(d.out[:start-1], uint64(n)) //nolint:gosec // not negative
}

// listField reads an array and appends its elements.
func (d *decoder) listField(f *field) *Error {
	if d.space() != '[' {
		return d.mismatch(d.pos, "an array of "+d.expected(f))
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
		if err := d.element(f); err != nil {
			if err.Syntax {
				return err
			}
			return err.at(i)
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
