package transcode

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"
)

// appendString appends b as a JSON string. It reports false if b is not valid UTF-8.
func appendString(out, b []byte) ([]byte, bool) {
	var found uint64
	i := 0
	for ; i+8 <= len(b); i += 8 {
		found |= special(binary.LittleEndian.Uint64(b[i:]))
	}
	switch {
	case i == len(b):
	case len(b) >= 8:
		found |= special(binary.LittleEndian.Uint64(b[len(b)-8:]))
	case len(b) >= 4:
		found = special(uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[len(b)-4:]))<<32)
	default:
		found = special(ones*'a'&^0xffffff | uint64(b[0]) | uint64(b[len(b)/2])<<8 | uint64(b[len(b)-1])<<16)
	}
	if found != 0 {
		return appendEscaped(out, b)
	}
	out = append(out, '"')
	out = append(out, b...)
	return append(out, '"'), true
}

// appendEscaped is like appendString for any bytes.
func appendEscaped(out, b []byte) ([]byte, bool) {
	out = append(out, '"')
	start, ascii := 0, true
	for i := 0; i < len(b); i++ {
		for i+8 <= len(b) && special(binary.LittleEndian.Uint64(b[i:])) == 0 {
			i += 8
		}
		if i == len(b) {
			break
		}
		switch c := b[i]; {
		case c >= utf8.RuneSelf:
			ascii = false
		case c < ' ' || c == '"' || c == '\\':
			out = append(out, b[start:i]...)
			out = appendEscape(out, c)
			start = i + 1
		}
	}
	out = append(out, b[start:]...)
	return append(out, '"'), ascii || utf8.Valid(b)
}

func appendEscape(out []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(out, '\\', c)
	case '\b':
		return append(out, '\\', 'b')
	case '\f':
		return append(out, '\\', 'f')
	case '\n':
		return append(out, '\\', 'n')
	case '\r':
		return append(out, '\\', 'r')
	case '\t':
		return append(out, '\\', 't')
	}
	const hex = "0123456789abcdef"
	return append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// quotedKey returns a name as a JSON key: with quotes and colon.
func quotedKey(name string) string {
	b, _ := appendString(nil, []byte(name))
	return string(append(b, ':'))
}

// appendFloat appends a number in JavaScript's format. It appends NaN and
// infinities as strings.
func appendFloat(out []byte, x float64, size int) []byte {
	switch {
	case math.IsNaN(x):
		return append(out, `"NaN"`...)
	case math.IsInf(x, 1):
		return append(out, `"Infinity"`...)
	case math.IsInf(x, -1):
		return append(out, `"-Infinity"`...)
	}
	format := byte('f')
	abs := math.Abs(x)
	if size == 32 {
		if small := float32(abs); small != 0 && (small < 1e-6 || small >= 1e21) {
			format = 'e'
		}
	} else if abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	out = strconv.AppendFloat(out, x, format, -1, size)
	if n := len(out); format == 'e' && n >= 4 && string(out[n-4:n-1]) == "e-0" { // e-09 is e-9
		out[n-2] = out[n-1]
		out = out[:n-1]
	}
	return out
}
