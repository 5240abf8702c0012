package transcode

import (
	"strconv"
)

// skip reads a value of any kind, in which arrays and objects may be nested up
// to depth levels.
func (s *scanner) skip(depth int) *Error {
	switch c := s.space(); c {
	case '"':
		_, err := s.text()
		return err
	case '{', '[':
		if depth <= 0 {
			return s.tooDeep()
		}
		return s.skipAll(c, depth-1)
	case 't', 'f', 'n':
		if !s.literal("true") && !s.literal("false") && !s.literal("null") {
			return s.unexpected("a value")
		}
		return nil
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		_, err := s.number()
		return err
	default:
		return s.unexpected("a value")
	}
}

// skipAll reads an array or an object that begins with open.
func (s *scanner) skipAll(open byte, depth int) *Error {
	closing := open + 2 // in ASCII, for both kinds of brackets
	s.pos++
	for first := true; ; first = false {
		more, err := s.more(closing, first)
		if !more || err != nil {
			return err
		}
		if open == '{' {
			if _, err := s.key(); err != nil {
				return err
			}
		}
		if err := s.skip(depth); err != nil {
			return err
		}
	}
}

// more reads the separator between the elements of an array or object, or the
// closing bracket. It reports whether another element follows.
func (s *scanner) more(closing byte, first bool) (bool, *Error) {
	switch c := s.space(); {
	case c == closing:
		s.pos++
		return false, nil
	case first:
		return true, nil
	case c != ',':
		return false, s.unexpected(strconv.Quote(string(rune(closing))) + " or a comma")
	}
	s.pos++
	if s.space() == closing {
		return false, s.unexpected("a value")
	}
	return true, nil
}

// key reads a key of an object and the colon after it. The result is valid
// until the next string is read.
func (s *scanner) key() ([]byte, *Error) {
	if s.space() != '"' {
		return nil, s.unexpected("a key in double quotes")
	}
	name, err := s.text()
	if err != nil {
		return nil, err
	}
	return name, s.colon()
}

func (s *scanner) colon() *Error {
	if s.pos < len(s.in) && s.in[s.pos] == ':' || s.space() == ':' {
		s.pos++
		return nil
	}
	return s.unexpected("a colon")
}
