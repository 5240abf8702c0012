package codec

import (
	"math/bits"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
)

// encoder writes a message backwards, from the end of buf to its start: so the
// length of a nested message is known when its prefix is written, and nothing
// has to be measured in advance. Written so far is buf[pos:].
type encoder struct {
	buf     []byte
	pos     int
	depth   int      // how many more levels of messages may be entered
	missing []string // paths of required fields that are not set
	entries []*entry
}

// room is what a tag and a number take at most.
const room = 5 + 10

// written returns how many bytes are written. Unlike pos it survives grow.
func (e *encoder) written() int { return len(e.buf) - e.pos }

// reserve makes room for n bytes.
func (e *encoder) reserve(n int) {
	if e.pos < n {
		e.grow(n)
	}
}

func (e *encoder) grow(n int) {
	done := e.buf[e.pos:]
	size := max(512, 2*len(e.buf), len(done)+n)
	e.buf = make([]byte, size)
	e.pos = size - len(done)
	copy(e.buf[e.pos:], done)
}

// varint writes x.
func (e *encoder) varint(x uint64) {
	if x < 0x80 && e.pos > 0 {
		e.pos--
		e.buf[e.pos] = byte(x)
		return
	}
	e.longVarint(x)
}

func (e *encoder) longVarint(x uint64) {
	e.reserve(room)
	n := (bits.Len64(x|1) + 6) / 7
	e.pos -= n
	b := e.buf[e.pos : e.pos+n]
	for i := range n - 1 {
		b[i] = byte(x) | 0x80
		x >>= 7
	}
	b[n-1] = byte(x)
}

// putTag writes the tag of f.
func (e *encoder) putTag(f *field) {
	if f.tagLen == 1 && e.pos > 0 {
		e.pos--
		e.buf[e.pos] = byte(f.tag)
		return
	}
	e.longVarint(f.tag)
}

// number writes x in the wire type.
func (e *encoder) number(wire protowire.Type, x uint64) {
	switch wire {
	case protowire.VarintType:
		e.varint(x)
	case protowire.Fixed32Type:
		e.reserve(4)
		e.pos -= 4
		put32(e.buf[e.pos:], uint32(x))
	default:
		e.reserve(8)
		e.pos -= 8
		put64(e.buf[e.pos:], x)
	}
}

// raw writes b as it is.
func (e *encoder) raw(b []byte) {
	e.reserve(len(b))
	e.pos -= len(b)
	copy(e.buf[e.pos:], b)
}

// text writes s behind its length.
func (e *encoder) text(s string) {
	e.reserve(len(s) + room)
	e.pos -= len(s)
	copy(e.buf[e.pos:], s)
	e.varint(uint64(len(s)))
}

// message writes the fields of the struct at p, in the order of their numbers.
func (e *encoder) message(pl *plan, p unsafe.Pointer) *Error {
	if pl.keeps {
		e.raw(*(*[]byte)(unsafe.Add(p, pl.unknown)))
	}
	for _, members := range pl.oneofs {
		if err := checkOneof(members, p); err != nil {
			return err
		}
	}
	for i := len(pl.fields) - 1; i >= 0; i-- {
		f := &pl.fields[i]
		if err := f.encode(e, f, unsafe.Add(p, f.off)); err != nil {
			return err.in(f)
		}
	}
	return nil
}

// checkOneof fails when more than one member of a oneof is set.
func checkOneof(members []*field, p unsafe.Pointer) *Error {
	var first *field
	for _, f := range members {
		if *(*unsafe.Pointer)(unsafe.Add(p, f.off)) == nil {
			continue
		}
		if first != nil {
			return unencodable("%s and %s are both set, members of the oneof %s", first.name, f.name, f.oneof)
		}
		first = f
	}
	return nil
}

// sub writes a nested message without its tag and length.
func (e *encoder) sub(pl *plan, p unsafe.Pointer) *Error {
	if e.depth <= 0 {
		return unencodable(errDepth)
	}
	e.depth--
	var err *Error
	if pl.leaf == nil {
		err = e.message(pl, p)
	} else {
		err = pl.leaf.encode(e, p)
	}
	e.depth++
	return err
}

// nested writes a nested message with its tag, and its length or end tag.
func (e *encoder) nested(f *field, p unsafe.Pointer, index int) *Error {
	if f.group {
		e.longVarint(f.tag + 1) // the end-group wire type follows start-group
	}
	before, lacks := e.written(), len(e.missing)
	if err := e.sub(f.sub, p); err != nil {
		return err
	}
	for i := lacks; i < len(e.missing); i++ {
		e.missing[i] = join(f.segment(index), e.missing[i])
	}
	if !f.group {
		e.varint(uint64(e.written() - before))
	}
	e.putTag(f)
	return nil
}

// miss notes that a required field is not set.
func (e *encoder) miss(f *field) *Error {
	e.missing = append(e.missing, f.name)
	return nil
}
