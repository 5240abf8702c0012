package transcode

import (
	"fmt"
	"slices"
	"sync"

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
	return p.decode(dst, doc, nil, opts)
}

// decode appends the message in doc or, unless f is nil, the value of that field.
func (p *Plan) decode(dst, doc []byte, f *field, opts DecodeOptions) ([]byte, error) {
	d := decoders.Get().(*decoder) //nolint:forcetypeassert // the pool has only decoders
	d.plans, d.in, d.pos, d.out, d.opts, d.depth = p.plans, doc, 0, dst, opts, maxDepth
	err := d.document(p, f)
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
	depth int  // how many more levels of messages are allowed
	zeros bool // write zero values too, because they replace others

	token []byte // the JSON of a parameter

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
	d.plans, d.in, d.out, d.seen, d.maps, d.missing, d.zeros = nil, nil, nil, d.seen[:0], 0, nil, false
	if cap(d.unescaped) > keptBuffer {
		d.unescaped = nil
	}
	if cap(d.token) > keptBuffer {
		d.token = nil
	}
	decoders.Put(d)
}

func (d *decoder) document(p *Plan, f *field) *Error {
	if d.space(); d.pos == len(d.in) {
		return &Error{Problem: "the JSON is empty", offset: d.pos}
	}
	var err *Error
	if f == nil {
		err = d.message(p)
	} else {
		err = d.part(p, f)
	}
	if err != nil {
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
