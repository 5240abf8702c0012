package lab

import (
	"bytes"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// BadMapEntry is a map entry with a good key and then a key of the wrong wire
// type, for lab.Msg.labels: it crashes servers that use dynamicpb.
var BadMapEntry = []byte{0x12, 0x05, 0x0a, 0x01, 'a', 0x08, 0x01}

// nested returns a lab.Msg with that many messages inside each other. It computes
// the lengths from the inside out, and copies nothing twice.
func nested(depth int) []byte {
	heads, size := make([][]byte, depth), 0
	for i := range heads {
		heads[i] = protowire.AppendVarint([]byte{0x1a}, uint64(size))
		size += len(heads[i])
	}
	slices.Reverse(heads)
	return slices.Concat(heads...)
}

// groups returns unknown groups inside each other.
func groups(depth int, closed bool) []byte {
	b := bytes.Repeat(protowire.AppendTag(nil, 9, protowire.StartGroupType), depth)
	if closed {
		b = append(b, bytes.Repeat(protowire.AppendTag(nil, 9, protowire.EndGroupType), depth)...)
	}
	return b
}

// Hostile are bodies that are invalid messages of lab.Msg, and some that look invalid
// and are not. A known field of the wrong wire type is an unknown field, as in every
// protobuf implementation.
var Hostile = []struct {
	Name string
	Body []byte
	Want codes.Code
}{
	{"nothing", nil, codes.OK},
	{"map entry with a key of the wrong type", BadMapEntry, codes.OK},
	{"map entry with such a key only", []byte{0x12, 0x02, 0x08, 0x01}, codes.OK},
	{"map entry with a value of the wrong type", []byte{0x12, 0x05, 0x0a, 0x01, 'a', 0x10, 0x01}, codes.OK},
	{"empty map entry", []byte{0x12, 0x00}, codes.OK},
	{"truncated map entry", []byte{0x12, 0x05, 0x0a, 0x01}, codes.Internal},
	{"map entry whose key is not UTF-8", rig.Message(2, rig.Text(1, "\xff")), codes.Internal},
	{"number instead of string", rig.Number(1, 5), codes.OK},
	{"string instead of number", rig.Text(4, "x"), codes.OK},
	{"number instead of message", rig.Number(3, 5), codes.OK},
	{"fixed64 instead of string", []byte{0x09, 1, 2, 3, 4, 5, 6, 7, 8}, codes.OK},
	{"unknown field", rig.Text(1000, "x"), codes.OK},
	{"largest field number", rig.Text(protowire.MaxValidNumber, "x"), codes.OK},
	{"field number 0", []byte{0x00, 0x00}, codes.Internal},
	{"field number too large", []byte{0x80, 0x80, 0x80, 0x80, 0x10, 0x00}, codes.Internal},
	{"wire type 6", []byte{0x0e}, codes.Internal},
	{"wire type 7", []byte{0x0f, 0x01}, codes.Internal},
	{"truncated tag", []byte{0x80}, codes.Internal},
	{"truncated varint", []byte{0x20, 0x80}, codes.Internal},
	{"varint of 11 bytes", append([]byte{0x20}, bytes.Repeat([]byte{0x80}, 11)...), codes.Internal},
	{"varint beyond 64 bits", append(append([]byte{0x20}, bytes.Repeat([]byte{0xff}, 9)...), 0x7f), codes.Internal},
	{"truncated string", []byte{0x0a, 0x05, 'a'}, codes.Internal},
	{"string of 2^63 bytes", []byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, codes.Internal},
	{"truncated fixed32", []byte{0x4d, 1, 2}, codes.Internal},
	{"truncated fixed64", []byte{0x49, 1, 2, 3}, codes.Internal},
	{"string that is not UTF-8", rig.Text(1, "\xff\xfe"), codes.Internal},
	{"bytes that are not UTF-8", rig.Text(5, "\xff\xfe"), codes.OK},
	{"surrogate in UTF-8", rig.Text(1, "\xed\xa0\x80"), codes.Internal},
	{"end of a group that did not begin", []byte{0x4c}, codes.Internal},
	{"group that does not end", []byte{0x4b}, codes.Internal},
	{"group that ends as another", []byte{0x4b, 0x54}, codes.Internal},
	{"nested 90 deep", nested(90), codes.OK},
	{"nested 99 deep", nested(99), codes.OK},
	{"nested 100 deep", nested(100), codes.Internal},
	{"nested 10,000 deep", nested(10_000), codes.Internal},
	{"nested 800,000 deep", nested(800_000), codes.Internal},
	{"nested 10,000 deep, not at the end", append(nested(10_000), rig.Text(1, "x")...), codes.Internal},
	{"groups 20,000 deep", groups(20_000, true), codes.Internal},
	{"groups 1,000,000 deep, open", groups(1_000_000, false), codes.Internal},
	{"many empty map entries", bytes.Repeat([]byte{0x12, 0x00}, 200_000), codes.OK},
	{"one string many times", bytes.Repeat(rig.Text(1, "x"), 200_000), codes.OK},
}
