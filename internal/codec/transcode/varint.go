package transcode

import "google.golang.org/protobuf/encoding/protowire"

// appendVarint appends a varint. It is inlined for one byte, which most tags and lengths take.
func appendVarint(b []byte, x uint64) []byte {
	if x < 0x80 {
		return append(b, byte(x))
	}
	return protowire.AppendVarint(b, x)
}
