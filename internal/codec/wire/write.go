package wire

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// Writer writes a message backwards, from the end of a buffer to its start. So the
// length of a nested message is known when its prefix is written, without measuring
// it first. The zero Writer is ready for use.
type Writer struct {
	buf []byte // what is written is buf[pos:]
	pos int
}

// minBuffer is the size of a Writer's first buffer.
const minBuffer = 512

// room is the maximum length of a tag and a number.
const room = 5 + 10

// Reset discards what is written and keeps the buffer.
func (w *Writer) Reset() { w.pos = len(w.buf) }

// Bytes returns what is written. It is valid until the next write.
func (w *Writer) Bytes() []byte { return w.buf[w.pos:] }

// Copy returns what is written in a buffer of the exact size, which comes from the
// pool if it is large enough to be pooled, and goes back there when it is freed. A
// nil pool means no pool.
func (w *Writer) Copy(pool mem.BufferPool) mem.Buffer {
	b := w.Bytes()
	switch {
	case len(b) <= len(small{}.bytes):
		s := new(small)
		s.buffer = append(s.bytes[:0:len(b)], b...)
		return &s.buffer
	case pool == nil:
		return mem.SliceBuffer(slices.Clone(b))
	default:
		return mem.Copy(b, pool)
	}
}

// small is a small message and its buffer, in one allocation instead of two.
type small struct {
	buffer mem.SliceBuffer
	bytes  [40]byte
}

// Cap returns the size of the buffer.
func (w *Writer) Cap() int { return len(w.buf) }

// Written returns how many bytes are written.
func (w *Writer) Written() int { return len(w.buf) - w.pos }

// Rewind drops what was written since Written returned n.
func (w *Writer) Rewind(n int) { w.pos = len(w.buf) - n }

// Reserve makes room for n bytes.
func (w *Writer) Reserve(n int) {
	if w.pos < n {
		w.grow(n)
	}
}

func (w *Writer) grow(n int) {
	done := w.buf[w.pos:]
	size := max(minBuffer, 2*len(w.buf), len(done)+n)
	w.buf = make([]byte, size)
	w.pos = size - len(done)
	copy(w.buf[w.pos:], done)
}

// Varint writes x.
func (w *Writer) Varint(x uint64) {
	if x < 0x80 && w.pos > 0 {
		w.pos--
		w.buf[w.pos] = byte(x)
		return
	}
	w.longVarint(x)
}

func (w *Writer) longVarint(x uint64) {
	w.Reserve(room)
	n := (bits.Len64(x|1) + 6) / 7
	w.pos -= n
	b := w.buf[w.pos : w.pos+n]
	for i := range n - 1 {
		b[i] = byte(x) | 0x80
		x >>= 7
	}
	b[n-1] = byte(x)
}

// Fixed32 writes x.
func (w *Writer) Fixed32(x uint32) {
	w.Reserve(4)
	w.pos -= 4
	binary.LittleEndian.PutUint32(w.buf[w.pos:], x)
}

// Fixed64 writes x.
func (w *Writer) Fixed64(x uint64) {
	w.Reserve(8)
	w.pos -= 8
	binary.LittleEndian.PutUint64(w.buf[w.pos:], x)
}

// Number writes x in the form of the wire type.
func (w *Writer) Number(typ protowire.Type, x uint64) {
	switch typ {
	case protowire.VarintType:
		w.Varint(x)
	case protowire.Fixed32Type:
		w.Fixed32(uint32(x))
	default:
		w.Fixed64(x)
	}
}

// Raw writes b unchanged.
func (w *Writer) Raw(b []byte) { copy(w.Space(len(b)), b) }

// Space returns n bytes before what is written, for the caller to fill. They
// count as written.
func (w *Writer) Space(n int) []byte {
	w.Reserve(n)
	w.pos -= n
	return w.buf[w.pos : w.pos+n : w.pos+n]
}

// Text writes the length of s and s.
func (w *Writer) Text(s string) {
	w.Reserve(len(s) + room)
	w.pos -= len(s)
	copy(w.buf[w.pos:], s)
	w.Varint(uint64(len(s)))
}

// Blob writes the length of b and b.
func (w *Writer) Blob(b []byte) {
	w.Raw(b)
	w.Varint(uint64(len(b)))
}

// Prefix writes the length of what was written since Written returned before.
func (w *Writer) Prefix(before int) { w.Varint(uint64(w.Written() - before)) }

// TextField writes a tag, the length of s, and s. Most tags and lengths have one
// byte.
func (w *Writer) TextField(tag uint64, s string) {
	if at := w.pos - len(s) - 2; at >= 0 && len(s) < 0x80 && tag < 0x80 {
		b := w.buf[at:w.pos]
		b[0], b[1] = byte(tag), byte(len(s))
		copy(b[2:], s)
		w.pos = at
		return
	}
	w.Text(s)
	w.Varint(tag)
}

// VarintField writes a tag and x.
func (w *Writer) VarintField(tag, x uint64) {
	if at := w.pos - 2; at >= 0 && x < 0x80 && tag < 0x80 {
		w.buf[at], w.buf[at+1] = byte(tag), byte(x)
		w.pos = at
		return
	}
	w.Varint(x)
	w.Varint(tag)
}

// NumberField writes a tag and x, in the form of the wire type.
func (w *Writer) NumberField(tag uint64, typ protowire.Type, x uint64) {
	if typ == protowire.VarintType {
		w.VarintField(tag, x)
		return
	}
	w.Number(typ, x)
	w.Varint(tag)
}

// PrefixField is Prefix with a tag.
func (w *Writer) PrefixField(tag uint64, before int) { w.VarintField(tag, uint64(w.Written()-before)) }
