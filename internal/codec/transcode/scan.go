package transcode

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON.
type scanner struct {
	in  []byte
	pos int

	unescaped []byte // the last string with escapes
}

// space skips white space and returns the next byte, or 0 at the end. The byte
// 0 is invalid in JSON, so callers treat both alike.
func (s *scanner) space() byte {
	for s.pos < len(s.in) {
		switch c := s.in[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special returns a mask of the bytes of x that end the fast path through a
// string: quotes, backslashes, control characters and non-ASCII bytes. The
// lowest set bit is in the first such byte.
func special(x uint64) uint64 {
	quote, backslash := x^(ones*'"'), x^(ones*'\\')
	return ((x - ones*' ') | (quote - ones) | (backslash - ones) | x) & highs
}

// text reads the string whose opening quote is at pos. The result is valid
// until the next call.
func (s *scanner) text() ([]byte, *Error) {
	in, start := s.in, s.pos+1
	i, ascii := start, true
	for {
		for i+8 <= len(in) {
			if m := special(binary.LittleEndian.Uint64(in[i:])); m != 0 {
				i += bits.TrailingZeros64(m) / 8
				break
			}
			i += 8
		}
		if i >= len(in) {
			s.pos = len(in)
			return nil, s.syntax("the JSON ends within a string")
		}
		switch c := in[i]; {
		case c == '"':
			s.pos = i + 1
			if !ascii && !utf8.Valid(in[start:i]) {
				s.pos = start - 1
				return nil, s.syntax("the string is not valid UTF-8")
			}
			return in[start:i:i], nil
		case c == '\\':
			return s.escaped(start, i)
		case c < ' ':
			s.pos = i
			return nil, s.syntax("a control character must be escaped in a string")
		case c >= utf8.RuneSelf:
			ascii = false
		}
		i++
	}
}

// escaped reads a string whose first escape is at in[i].
func (s *scanner) escaped(start, i int) ([]byte, *Error) {
	in, out := s.in, s.unescaped[:0]
	out = append(out, in[start:i]...)
	defer func() { s.unescaped = out }()
	for i < len(in) {
		switch c := in[i]; {
		case c == '"':
			s.pos = i + 1
			if !utf8.Valid(out) {
				s.pos = start - 1
				return nil, s.syntax("the string is not valid UTF-8")
			}
			return out, nil
		case c < ' ':
			s.pos = i
			return nil, s.syntax("a control character must be escaped in a string")
		case c != '\\':
			out = append(out, c)
			i++
		default:
			var n int
			if out, n = unescape(out, in[i:]); n == 0 {
				s.pos = i
				return nil, s.syntax("the escape is not valid")
			}
			i += n
		}
	}
	s.pos = len(in)
	return nil, s.syntax("the JSON ends within a string")
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape appends the character of the escape sequence at the start of b. It
// returns the sequence's length, or 0 if it is invalid.
func unescape(out, b []byte) ([]byte, int) {
	if len(b) < 2 {
		return out, 0
	}
	if c := escapes[b[1]]; c != 0 {
		return append(out, c), 2
	}
	r, ok := hex4(b)
	if !ok {
		return out, 0
	}
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(out, r), 6
	}
	low, ok := hex4(b[6:])
	if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
		return out, 0
	}
	return utf8.AppendRune(out, r), 12
}

// hex4 reads \uXXXX.
func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	r := rune(0)
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// literal reads true, false or null at pos.
func (s *scanner) literal(word string) bool {
	end := s.pos + len(word)
	if end > len(s.in) || string(s.in[s.pos:end]) != word || end < len(s.in) && isWord(s.in[end]) {
		return false
	}
	s.pos = end
	return true
}

// isWord reports whether a number or literal is invalid if c follows it
// directly.
func isWord(c byte) bool {
	return c == '-' || c == '+' || c == '.' || c == '_' ||
		'0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// numberEnd returns the end of the number at b[i:], or -1 if there is none.
func numberEnd(b []byte, i int) int {
	if i < len(b) && b[i] == '-' {
		i++
	}
	switch first := i; {
	case i >= len(b):
		return -1
	case b[i] == '0':
		i++
	default:
		if i = digits(b, i); i == first {
			return -1
		}
	}
	if i+1 < len(b) && b[i] == '.' {
		first := i + 1
		if i = digits(b, first); i == first {
			return -1
		}
	}
	if i+1 < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if b[i] == '+' || b[i] == '-' {
			i++
		}
		first := i
		if i = digits(b, i); i == first {
			return -1
		}
	}
	if i < len(b) && isWord(b[i]) {
		return -1
	}
	return i
}

func digits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}

// number reads the number at pos.
func (s *scanner) number() ([]byte, *Error) {
	end := numberEnd(s.in, s.pos)
	if end < 0 {
		return nil, s.syntax("the number is not valid")
	}
	b := s.in[s.pos:end]
	s.pos = end
	return b, nil
}
