package transcode

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Error says what is wrong with a document or a message.
type Error struct {
	// Path leads to the value, from the outermost one: the key of an object as the
	// document has it, or the index of an element. It is empty for the whole.
	Path []Step

	// Line and Column say where the value is in a document, counted from 1; the
	// column counts bytes. Both are 0 for errors of messages.
	Line, Column int

	// Problem is what is wrong, as a sentence without a full stop.
	Problem string

	// Syntax reports that the document is not JSON.
	Syntax bool

	// Near are names that the document may have meant.
	Near []string

	offset int
}

// Step is a step of a path: a key or, if Key is empty and Index is not negative, an
// index.
type Step struct {
	Key   string
	Index int // -1 for keys
}

// Pointer returns the path as a JSON pointer (RFC 6901).
func (e *Error) Pointer() string {
	var b strings.Builder
	for _, s := range e.Path {
		b.WriteByte('/')
		if s.Index >= 0 {
			b.WriteString(strconv.Itoa(s.Index))
		} else {
			b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(s.Key))
		}
	}
	return b.String()
}

// Error implements error. The path is written like items[2].qty.
func (e *Error) Error() string {
	problem := e.Problem
	if len(e.Near) > 0 {
		problem += "; did you mean " + strings.Join(e.Near, ", ") + "?"
	}
	switch {
	case e.Syntax:
		return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, problem)
	case len(e.Path) > 0:
		return e.path() + ": " + problem
	}
	return problem
}

func (e *Error) path() string {
	var b strings.Builder
	for i, s := range e.Path {
		switch {
		case s.Index >= 0:
			fmt.Fprintf(&b, "[%d]", s.Index)
		case !isName(s.Key):
			fmt.Fprintf(&b, "[%q]", clip(s.Key))
		default:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.Key)
		}
	}
	return b.String()
}

func isName(s string) bool {
	return s != "" && len(s) < 100 && strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && r != '@' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) < 0
}

// clip shortens text of a caller, for errors.
func clip(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "..."
	}
	return s
}

// in adds a key to the path of an error that is on its way out.
func (e *Error) in(key string) *Error {
	e.Path = append(e.Path, Step{Key: key, Index: -1})
	return e
}

// at adds an index to the path of an error that is on its way out.
func (e *Error) at(index int) *Error {
	e.Path = append(e.Path, Step{Index: index})
	return e
}

// finish completes an error of a document.
func (e *Error) finish(doc []byte) *Error {
	slices.Reverse(e.Path)
	before := doc[:min(e.offset, len(doc))]
	e.Line = 1 + strings.Count(string(before), "\n")
	e.Column = len(before) - strings.LastIndexByte(string(before), '\n')
	return e
}

// syntax returns the error for text at pos that is not JSON.
func (s *scanner) syntax(problem string) *Error {
	return &Error{Problem: problem, Syntax: true, offset: s.pos}
}

// unexpected returns the error for a byte at pos that is not what is wanted.
func (s *scanner) unexpected(wanted string) *Error {
	if s.space() == 0 && s.pos >= len(s.in) {
		return s.syntax("expected " + wanted + ", but the JSON ends here")
	}
	r := []rune(string(s.in[s.pos:min(s.pos+4, len(s.in))]))[0]
	return s.syntax(fmt.Sprintf("expected %s, got %q", wanted, r))
}

func (s *scanner) tooDeep() *Error {
	return &Error{Problem: fmt.Sprintf("the value is nested more than %d levels deep", maxDepth), offset: s.pos}
}

// mismatch returns the error for the value at pos, which is not what a field needs.
func (s *scanner) mismatch(pos int, wanted string) *Error {
	s.pos = pos
	got := s.describe()
	return &Error{Problem: "expected " + wanted + ", got " + got, offset: pos}
}

// describe names the value at pos.
func (s *scanner) describe() string {
	c, start := s.space(), s.pos
	if err := s.skip(maxDepth); err != nil && (err.Syntax || c == 0) {
		return "text that is not JSON"
	}
	text := clip(string(s.in[start:s.pos]))
	switch c {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "the string " + text
	case 't', 'f', 'n':
		return text
	default:
		return "the number " + text
	}
}
