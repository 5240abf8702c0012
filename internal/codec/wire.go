package codec

import "encoding/binary"

func le32(b []byte) uint32     { return binary.LittleEndian.Uint32(b) }
func put32(b []byte, x uint32) { binary.LittleEndian.PutUint32(b, x) }
func put64(b []byte, x uint64) { binary.LittleEndian.PutUint64(b, x) }
func le64(b []byte) uint64     { return binary.LittleEndian.Uint64(b) }

// What varint returns instead of the end of a varint that is none.
const (
	varintTruncated = 0
	varintOverflow  = -1
)

func badVarint(i int) *Error {
	if i == varintOverflow {
		return malformed(errVarint)
	}
	return malformed(errTruncated)
}

// varint reads the varint at b[i:]. It returns where it ends, or a number that
// is not positive: see badVarint.
func varint(b []byte, i int) (uint64, int) {
	var x uint64
	for shift := uint(0); i < len(b); shift += 7 {
		c := b[i]
		i++
		if shift == 63 {
			if c > 1 {
				return 0, varintOverflow
			}
			return x | uint64(c)<<63, i
		}
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return x, i
		}
	}
	return 0, varintTruncated
}

// length reads the length prefix at b[i:]. It returns the length and where the
// content starts; the content lies within b.
func length(b []byte, i int) (n, start int) {
	if i < len(b) && b[i] < 0x80 {
		n, i = int(b[i]), i+1
		if n > len(b)-i {
			return 0, varintTruncated
		}
		return n, i
	}
	x, i := varint(b, i)
	if i > 0 && x > uint64(len(b)-i) {
		return 0, varintTruncated
	}
	return int(x), i
}

// run counts how many length-prefixed fields with one tag follow each other in
// b. The first one, whose tag and length have been read, has its content at
// b[start:end].
func run(b []byte, start, end int) int {
	// The tag is what stands before the length; a field whose tag or length is
	// spelled with more bytes than needed ends the run: it is only a hint.
	t := 1
	for t < start && b[t-1] >= 0x80 {
		t++
	}
	count := 1
	for i := end; len(b)-i > t; count++ {
		if b[i] != b[0] || string(b[i:i+t]) != string(b[:t]) {
			break
		}
		n, next := length(b, i+t)
		if next <= 0 {
			break
		}
		i = next + n
	}
	return count
}
