package httprule

import "strings"

// badEscape returns the offset of the first percent sign without two hexadecimal digits;
// -1 if there is none.
func badEscape(s string) int {
	for i := strings.IndexByte(s, '%'); i >= 0 && i < len(s); i++ {
		if s[i] == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])) {
			return i
		}
	}
	return -1
}

// unescape decodes the escapes of a text, which are good. If keepSlash is set, %2F stays
// as it is.
func unescape(s string, keepSlash bool) string {
	first := strings.IndexByte(s, '%')
	for keepSlash && first >= 0 && isSlash(s[first:]) {
		next := strings.IndexByte(s[first+3:], '%')
		if next < 0 {
			return s
		}
		first += 3 + next
	}
	if first < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) - 2)
	b.WriteString(s[:first])
	for i := first; i < len(s); i++ {
		switch {
		case s[i] != '%':
			b.WriteByte(s[i])
		case keepSlash && isSlash(s[i:]):
			b.WriteString(s[i : i+3])
			i += 2
		default:
			b.WriteByte(decode(s[i:]))
			i += 2
		}
	}
	return b.String()
}

// unescapeTo is unescape with a buffer. It returns nil if the text does not fit.
func unescapeTo(buf []byte, s string) []byte {
	n := 0
	for i := 0; i < len(s); i++ {
		if n == len(buf) {
			return nil
		}
		buf[n] = s[i]
		if s[i] == '%' {
			buf[n] = decode(s[i:])
			i += 2
		}
		n++
	}
	return buf[:n]
}

// decode returns the byte that the escape at the beginning of s stands for.
func decode(s string) byte { return unhex(s[1])<<4 | unhex(s[2]) }

func isSlash(s string) bool { return s[1] == '2' && s[2]|0x20 == 'f' }

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// escape returns a text as a segment of a URL's path.
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}
