package schema

import "strings"

// number reads a number like the compiler: with all letters that follow.
func (s *scanner) number() {
	digits, exponent, inExponent := 0, 0, false
	hex := strings.HasPrefix(s.text[s.at:], "0x") || strings.HasPrefix(s.text[s.at:], "0X")
	for ; s.at < len(s.text); s.at++ {
		c := s.text[s.at]
		switch {
		case c|0x20 == 'p' || c|0x20 == 'e' && !hex:
			inExponent = true
			if s.at+1 < len(s.text) && (s.text[s.at+1] == '+' || s.text[s.at+1] == '-') {
				s.at++
			}
		case inExponent && isDigit(c):
			exponent = min(10*exponent+int(c-'0'), maxExponent+1)
		case isWord(c) || c == '.':
			digits++
		default:
			s.bound(digits, exponent)
			return
		}
	}
	s.bound(digits, exponent)
}

func (s *scanner) bound(digits, exponent int) {
	switch {
	case digits > maxDigits:
		s.refuse("a number of more than %d digits", maxDigits)
	case exponent > maxExponent:
		s.refuse("a number whose exponent is beyond %d; \"inf\" is a double beyond all numbers", maxExponent)
	}
}

// literal reads a string.
func (s *scanner) literal() {
	quote := s.text[s.at]
	for s.at++; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			s.at++
			if s.at < len(s.text) && strings.IndexByte("abfnrtvxXuU01234567\\'\"?", s.text[s.at]) < 0 {
				s.mistake()
			}
		case '\n':
			s.mistake()
			s.at++
			s.line = s.at
			return
		case quote:
			s.at++
			return
		}
	}
	s.at = min(s.at, len(s.text))
	s.mistake()
}

// comment returns the offset of the last byte of the comment that text begins with.
func comment(text string) int {
	end := 0
	switch {
	case strings.HasPrefix(text, "//"):
		end = strings.IndexByte(text, '\n')
	case strings.HasPrefix(text, "/*"):
		if end = strings.Index(text[2:], "*/"); end >= 0 {
			end += 3
		}
	}
	if end < 0 {
		return len(text) - 1
	}
	return end
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWord(c byte) bool {
	return c == '_' || isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}
