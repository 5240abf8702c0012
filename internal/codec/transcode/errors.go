package transcode

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
	"github.com/dyngate/dyngate/internal/nearest"
	"github.com/dyngate/dyngate/internal/typename"
)

// Error is an error in a document or a message.
type Error struct {
	// Param is the name of the parameter of a URL that is wrong; empty for documents.
	Param string

	// Path is the path of the value, starting with the outermost step. It is empty
	// for the whole document, and for documents that are not JSON.
	Path []Step

	// Line and Column are the position in a document, counted from 1; the column
	// counts bytes. Both are 0 for errors in messages.
	Line, Column int

	// Problem describes the error, unless a value has the wrong type: then
	// Expected describes the values that the field accepts, and Got the actual
	// one.
	Problem       string
	Expected, Got string

	// Near are the known names similar to an unknown name, and Known are all known
	// names, the similar ones first.
	Near, Known []string

	// Missing are the paths of all required fields that are not set.
	Missing [][]Step

	// Syntax reports that the document is not JSON.
	Syntax bool

	offset int
	whole  bool // the path must remain empty
}

// Step is a step of a path: a key of an object as written in the document, or
// an index.
type Step struct {
	Key   string
	Entry bool // Key is the key of a map's entry, not of a field
	Index int  // of an element; -1 for keys
}

// Pointer returns the path as a JSON pointer (RFC 6901).
func (e *Error) Pointer() string {
	var b strings.Builder
	for _, s := range e.Path {
		b.WriteByte('/')
		if s.Index >= 0 {
			b.WriteString(strconv.Itoa(s.Index))
		} else {
			b.WriteString(pointerEscapes.Replace(s.Key))
		}
	}
	return b.String()
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// Error implements error:
//
//	items[2].qty: expected int32, got the string "many"
//
// It repeats at most 60 bytes of each text of the document, and is safe for a terminal.
func (e *Error) Error() string {
	if e.Param != "" {
		return "parameter " + quoted(e.Param) + ": " + e.text()
	}
	return e.text()
}

func (e *Error) text() string {
	switch {
	case e.Syntax:
		return fmt.Sprintf("syntax error (line %d:%d): %s", e.Line, e.Column, e.Problem)
	case len(e.Path) > 0:
		return PathString(e.Path) + ": " + e.problem()
	}
	return e.problem()
}

func (e *Error) problem() string {
	switch {
	case e.Expected != "":
		return "expected " + e.Expected + ", got " + e.Got
	case e.Missing != nil:
		paths := make([]string, len(e.Missing))
		for i, p := range e.Missing {
			paths[i] = PathString(p)
		}
		slices.Sort(paths)
		return e.Problem + ": " + listed(paths)
	case e.Known != nil && len(e.Known) == 0:
		return e.Problem + "; it has none at all"
	case e.Known != nil:
		return e.Problem + nearest.DidYouMean(e.Near) + "; it has: " + listed(e.Known)
	}
	return e.Problem
}

// PathString writes a path like items[2].qty, byName["a b"].qty or [pkg.ext].x.
func PathString(path []Step) string {
	var b strings.Builder
	for _, s := range path {
		bare := strings.TrimSuffix(strings.TrimPrefix(s.Key, "["), "]") // of an extension
		switch {
		case s.Index >= 0:
			b.WriteString("[" + strconv.Itoa(s.Index) + "]")
		case s.Entry || !protoreflect.FullName(bare).IsValid() || len(s.Key) > maxQuoted:
			b.WriteString("[" + quoted(s.Key) + "]")
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.Key)
		}
	}
	return b.String()
}

// maxQuoted limits the bytes of a text of the document that an error quotes.
const maxQuoted = 60

// quoted quotes a text of the document, safe for a terminal.
func quoted(s string) string {
	if len(s) <= maxQuoted {
		return strconv.Quote(s)
	}
	return strconv.Quote(strings.ToValidUTF8(s[:maxQuoted], "")) + "..."
}

// listed joins names. If there are many, it joins the first ones.
func listed(names []string) string {
	const most = 20
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// in prepends the key of a field to an error's path.
func (e *Error) in(key string) *Error { return e.step(Step{Key: key, Index: -1}) }

// at prepends an index to an error's path.
func (e *Error) at(index int) *Error { return e.step(Step{Index: index}) }

func (e *Error) step(s Step) *Error {
	if !e.Syntax && !e.whole {
		e.Path = append(e.Path, s)
	}
	return e
}

// finish completes an error in a document.
func (e *Error) finish(doc []byte) *Error {
	slices.Reverse(e.Path)
	before := doc[:min(e.offset, len(doc))]
	e.Line = 1 + bytes.Count(before, []byte("\n"))
	e.Column = len(before) - bytes.LastIndexByte(before, '\n')
	return e
}

// unknown returns the error for a name that owner does not have.
func unknown(owner protoreflect.Descriptor, kind, name string, known []string, offset int) *Error {
	near := nearest.Names(name, known, 3)
	others := slices.DeleteFunc(slices.Clone(known), func(n string) bool { return slices.Contains(near, n) })
	return &Error{
		Problem: fmt.Sprintf("%s has no %s %s", owner.FullName(), kind, quoted(name)),
		Near:    near, Known: append(append(make([]string, 0, len(known)), near...), others...), offset: offset,
	}
}

// syntax returns the error for text at pos that is not JSON.
func (s *scanner) syntax(problem string) *Error {
	return &Error{Problem: problem, Syntax: true, offset: s.pos}
}

// unexpected returns the error for the text at pos, which is not what is
// wanted.
func (s *scanner) unexpected(wanted string) *Error {
	if s.space(); s.pos >= len(s.in) {
		return s.syntax("expected " + wanted + ", but the JSON ends")
	}
	r, size := utf8.DecodeRune(s.in[s.pos:])
	if r == utf8.RuneError && size == 1 {
		return s.syntax("invalid UTF-8")
	}
	return s.syntax(fmt.Sprintf("expected %s, got %q", wanted, r))
}

func (s *scanner) tooDeep() *Error {
	return &Error{Problem: fmt.Sprintf("the message is nested more than %d levels deep", maxDepth), offset: s.pos, whole: true}
}

// mismatch returns the error for a value of the wrong type at a position.
func (s *scanner) mismatch(pos int, wanted string) *Error {
	value := scanner{in: s.in, pos: pos}
	got, err := value.describe()
	if err != nil {
		return err
	}
	return &Error{Expected: wanted, Got: got, offset: value.pos}
}

// describe returns a description of the value at pos.
func (s *scanner) describe() (string, *Error) {
	c := s.space()
	start := s.pos
	defer func() { s.pos = start }()
	switch c {
	case '{':
		return "an object", nil
	case '[':
		return "a list", nil
	case '"':
		text, err := s.text()
		return "the string " + quoted(string(text)), err
	}
	if err := s.skip(maxDepth); err != nil {
		return "", err
	}
	text := string(s.in[start:s.pos])
	if len(text) > maxQuoted {
		text = text[:maxQuoted] + "..."
	}
	if c != 't' && c != 'f' && c != 'n' {
		text = "the number " + text
	}
	return text, nil
}

// wantedList describes the JSON of a field that is a list or map.
func wantedList(f *field) string {
	if f.keyField != nil {
		return "an object (" + typename.OfField(f.desc) + ")"
	}
	return "a list of " + strings.TrimPrefix(typename.OfElement(f.desc), "enum ")
}

// wanted describes the JSON of a field, or of its elements.
func wanted(f *field) string {
	switch f.kind {
	case protoreflect.BoolKind:
		return "bool (true or false)"
	case protoreflect.BytesKind:
		return "bytes as a base64 string"
	case protoreflect.EnumKind:
		if f.isNull {
			return "null"
		}
		return string(f.enum.desc.FullName())
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return wantedMessage(f.message.get())
	}
	return f.kind.String()
}

// wantedMessage describes the JSON of a message.
func wantedMessage(p *Plan) string {
	name := string(p.desc.FullName())
	switch p.kind {
	case wellknown.Any:
		return `an object with "@type" (` + name + `)`
	case wellknown.Timestamp, wellknown.Duration, wellknown.FieldMask:
		return name + " such as " + wellknown.Of(p.desc.FullName()).Example
	case wellknown.ListValue:
		return "a list (" + name + ")"
	case wellknown.Value:
		return "any JSON (" + name + ")"
	case wellknown.Wrapper:
		return wanted(p.fields[0])
	}
	return "an object (" + name + ")"
}
