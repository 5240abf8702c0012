package wire

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// A reader returns one of these instead of the position after a value if the input
// is malformed.
const (
	truncated = 0
	overflow  = -1
	badTag    = -2
)

// Details of malformed input.
const (
	DetailTruncated = "the input ends within a field"
	DetailVarint    = "a varint is longer than 64 bits"
	DetailTag       = "a field number or wire type is invalid"
	DetailGroup     = "a group is not closed, or an end-group tag has no start"
	DetailDepth     = "messages are nested too deeply"
	DetailUTF8      = "the string is not valid UTF-8"
)

// Malformed returns the error for a position that is not positive.
func Malformed(position int) *Error {
	switch position {
	case overflow:
		return NewMalformed(DetailVarint)
	case badTag:
		return NewMalformed(DetailTag)
	}
	return NewMalformed(DetailTruncated)
}

// Uint32 reads a fixed32.
func Uint32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// Uint64 reads a fixed64.
func Uint64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// Varint reads the varint at b[i:] and returns where it ends.
func Varint(b []byte, i int) (uint64, int) {
	var x uint64
	for shift := uint(0); i < len(b); shift += 7 {
		c := b[i]
		i++
		if shift == 63 {
			if c > 1 {
				return 0, overflow
			}
			return x | uint64(c)<<63, i
		}
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return x, i
		}
	}
	return 0, truncated
}

// maxTagBytes is the length of a tag of 32 bits. The specification allows no longer
// ones, even if the other bits are zero.
const maxTagBytes = 5

// Tag reads the tag at b[i:] and returns where it ends. It accepts invalid wire
// types and the field number 0, which Skip refuses.
func Tag(b []byte, i int) (uint64, int) {
	tag, end := Varint(b, i)
	switch {
	case end <= 0:
		return 0, end
	case tag > math.MaxUint32 || end-i > maxTagBytes:
		return 0, badTag
	}
	return tag, end
}

// Length reads the length prefix at b[i:]. It returns the length and where the
// content starts; the content lies within b.
func Length(b []byte, i int) (n, start int) {
	if i < len(b) && b[i] < 0x80 {
		n, i = int(b[i]), i+1
		if n > len(b)-i {
			return 0, truncated
		}
		return n, i
	}
	x, i := Varint(b, i)
	if i > 0 && x > uint64(len(b)-i) {
		return 0, truncated
	}
	return int(x), i
}

// Run counts how many length-prefixed fields with one tag follow each other in
// b. The first one, whose tag and length have been read, has its content at
// b[start:end]. It is a hint: a field whose tag or length takes more bytes than
// needed ends the run.
func Run(b []byte, start, end int) int {
	t := 1 // the length of the tag
	for t < start && b[t-1] >= 0x80 {
		t++
	}
	count := 1
	for i := end; len(b)-i > t; count++ {
		if b[i] != b[0] || string(b[i:i+t]) != string(b[:t]) {
			break
		}
		n, next := Length(b, i+t)
		if next <= 0 {
			break
		}
		i = next + n
	}
	return count
}

// Skip returns where the value at b[i:] ends, whose tag has been read. A group
// may hold groups that are nested depth deep, itself included.
func Skip(b []byte, i int, tag uint64, depth int) (int, *Error) {
	if tag>>3 == 0 {
		return 0, Malformed(badTag)
	}
	var end int
	switch protowire.Type(tag & 7) {
	case protowire.VarintType:
		_, end = Varint(b, i)
	case protowire.BytesType:
		n, start := Length(b, i)
		if end = start; start > 0 {
			end += n
		}
	case protowire.Fixed32Type:
		end = fixed(b, i, 4)
	case protowire.Fixed64Type:
		end = fixed(b, i, 8)
	case protowire.StartGroupType:
		_, end, err := SkipGroup(b, i, tag>>3, depth)
		return end, err
	case protowire.EndGroupType:
		return 0, NewMalformed(DetailGroup)
	default:
		end = badTag
	}
	if end <= 0 {
		return 0, Malformed(end)
	}
	return end, nil
}

func fixed(b []byte, i, n int) int {
	if len(b)-i < n {
		return truncated
	}
	return i + n
}

// SkipGroup returns where the content of the group number ends, whose start tag
// has been read, and where its end tag does.
func SkipGroup(b []byte, i int, number uint64, depth int) (body, end int, err *Error) {
	if depth <= 0 {
		return 0, 0, NewMalformed(DetailDepth)
	}
	for {
		tag, next := Tag(b, i)
		if next <= 0 {
			return 0, 0, Malformed(next)
		}
		if protowire.Type(tag&7) == protowire.EndGroupType {
			if tag>>3 != number {
				return 0, 0, NewMalformed(DetailGroup)
			}
			return i, next, nil
		}
		if i, err = Skip(b, next, tag, depth-1); err != nil {
			return 0, 0, err
		}
	}
}

// CountVarints returns how many varints b holds: each one that is complete has
// one byte below 0x80.
func CountVarints(b []byte) int {
	n := 0
	for _, c := range b {
		if c < 0x80 {
			n++
		}
	}
	return n
}
