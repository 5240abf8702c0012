package httprule

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits on templates. They bound the depth of the match tree.
const (
	maxTemplate = 2048 // bytes
	maxSegments = 64
)

// Template is the path of a rule: the URLs that it matches. It is immutable.
type Template struct {
	Segments []Segment
	Captures []Capture // the variables, in order
	Verb     string    // what follows the last colon, decoded; "" if there is none

	text string
}

// Segment is a part of a template between slashes.
type Segment struct {
	Kind Kind
	Text string // of a literal, decoded
}

// Kind says what a segment matches.
type Kind int

// The kinds of segments, most specific first.
const (
	Literal Kind = iota // its text
	Single              // "*": one segment
	Multi               // "**": any number of segments, zero included
)

// Capture is a variable of a template: the segments from Start up to End.
type Capture struct {
	Name       string // a field path: "book.name"
	Start, End int
}

// Parse parses a template by the grammar of google/api/http.proto. It also takes "/", the
// root, and segments after "**". The error is a *[SyntaxError].
func Parse(text string) (*Template, error) {
	p := parser{text: text, end: len(text), t: &Template{text: text}}
	p.template()
	if p.err != nil {
		return nil, p.err
	}
	return p.t, nil
}

// String returns the template as it was written.
func (t *Template) String() string { return t.text }

// multi reports whether a variable may hold several segments.
func (t *Template) multi(c Capture) bool {
	return c.End-c.Start > 1 || t.Segments[c.Start].Kind == Multi
}

// open returns the index of the segment "**", of which there is one at most; the number of
// segments if there is none.
func (t *Template) open() int {
	i := slices.IndexFunc(t.Segments, func(s Segment) bool { return s.Kind == Multi })
	if i < 0 {
		return len(t.Segments)
	}
	return i
}

// SyntaxError is an error in a template.
type SyntaxError struct {
	Template string
	Offset   int    // in bytes, from 0
	Message  string // a sentence that says how to correct it
}

// Error returns the message and the offset.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("at offset %d of template %q: %s", e.Offset, e.Template, e.Message)
}

// picture shows the template with a caret under the error.
func (e *SyntaxError) picture() string {
	before := strings.ToValidUTF8(e.Template[:e.Offset], "?")
	return e.Template + "\n" + strings.Repeat(" ", utf8.RuneCountInString(before)) + "^"
}

// parser reads a template from left to right. After the first error it reads nothing.
type parser struct {
	text string
	pos  int
	end  int // of the path: where the verb begins
	t    *Template
	err  *SyntaxError
}

func (p *parser) fail(at int, format string, args ...any) {
	if p.err == nil {
		p.err = &SyntaxError{p.text, at, fmt.Sprintf(format, args...)}
	}
}

// peek returns the next byte of the path, 0 at its end.
func (p *parser) peek() byte {
	if p.err == nil && p.pos < p.end {
		return p.text[p.pos]
	}
	return 0
}

func (p *parser) template() {
	switch {
	case len(p.text) > maxTemplate:
		p.fail(maxTemplate, "a template may have %d bytes at most", maxTemplate)
		p.err.Template, p.err.Offset = p.text[:40]+"...", 0
		return
	case !utf8.ValidString(p.text):
		p.fail(0, "a template must be valid UTF-8")
		return
	case !strings.HasPrefix(p.text, "/"):
		p.fail(0, "a template begins with a slash")
		return
	case p.text == "/":
		return
	}
	p.verb()
	p.pos = 1
	p.segments(false)
	if p.err == nil && p.pos < p.end {
		p.fail(p.pos, "unexpected %q", p.text[p.pos])
	}
}

// verb reads the verb, which is after the last colon of the last segment.
func (p *parser) verb() {
	colon := strings.LastIndexByte(p.text, ':')
	if colon < 0 || strings.ContainsAny(p.text[colon:], "/}") {
		return
	}
	p.end = colon
	p.t.Verb = p.literal(colon+1, len(p.text), "the verb")
}

// segments reads segments up to the end of the path or of the variable.
func (p *parser) segments(inVariable bool) {
	for p.err == nil {
		p.segment(inVariable)
		if p.peek() != '/' {
			return
		}
		p.pos++
	}
}

func (p *parser) segment(inVariable bool) {
	start := p.pos
	switch c := p.peek(); {
	case c == '{' && inVariable:
		p.fail(start, "a variable cannot contain another variable")
	case c == '{':
		p.variable()
	case c == '*':
		p.pos++
		kind := Single
		if p.peek() == '*' {
			p.pos++
			kind = Multi
		}
		p.add(Segment{Kind: kind}, start)
		p.boundary(inVariable)
	default:
		for c := p.peek(); c != 0 && strings.IndexByte("/{}*", c) < 0; c = p.peek() {
			p.pos++
		}
		p.add(Segment{Text: p.literal(start, p.pos, "a segment")}, start)
		p.boundary(inVariable)
	}
}

// boundary checks that a segment ends here.
func (p *parser) boundary(inVariable bool) {
	switch c := p.peek(); {
	case p.err != nil || c == '/' || c == 0 || inVariable && c == '}':
	case c == '*' || c == '{' || strings.IndexByte("*}", p.text[p.pos-1]) >= 0:
		p.fail(p.pos, `"*", "**" and variables are whole segments: put a slash before and after them`)
	default:
		p.fail(p.pos, "unexpected %q", c)
	}
}

// add adds a segment, which begins at an offset.
func (p *parser) add(s Segment, at int) {
	switch {
	case s.Kind == Multi && p.t.open() < len(p.t.Segments):
		p.fail(at, `a template may have one "**" at most`)
	case len(p.t.Segments) == maxSegments:
		p.fail(at, "a template may have %d segments at most", maxSegments)
	}
	p.t.Segments = append(p.t.Segments, s)
}

// variable reads "{field.path}" or "{field.path=segments}".
func (p *parser) variable() {
	open := p.pos
	p.pos++
	c := Capture{Name: p.fieldPath(), Start: len(p.t.Segments)}
	if p.peek() == '=' {
		p.pos++
		p.segments(true)
	} else {
		p.add(Segment{Kind: Single}, open)
	}
	switch {
	case p.err != nil:
		return
	case p.peek() != '}':
		p.fail(p.pos, "expected }, which ends the variable from offset %d", open)
		return
	}
	p.pos++
	c.End = len(p.t.Segments)
	p.t.Captures = append(p.t.Captures, c)
	p.boundary(false)
}

// fieldPath reads names that are separated by dots.
func (p *parser) fieldPath() string {
	start := p.pos
	for {
		name := p.pos
		for isIdent(p.peek(), p.pos > name) {
			p.pos++
		}
		if p.pos == name {
			p.fail(name, "expected the name of a field: letters, digits and underscores")
		}
		if p.peek() != '.' {
			return p.text[start:p.pos]
		}
		p.pos++
	}
}

func isIdent(c byte, digits bool) bool {
	return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' || digits && '0' <= c && c <= '9'
}

// literal returns the text from start up to end, decoded.
func (p *parser) literal(start, end int, what string) string {
	text := p.text[start:end]
	if text == "" {
		p.fail(start, "%s is empty: remove a slash or a colon, or put text between them", what)
	}
	if i := strings.IndexFunc(text, notInPath); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		p.fail(start+i, "%q cannot be in a path: write it as an escape, like %%20", r)
	}
	if i := badEscape(text); i >= 0 {
		p.fail(start+i, "%% begins an escape of two hexadecimal digits: write %%25 for a percent sign")
		return ""
	}
	return unescape(text, false)
}

// notInPath reports whether a character ends a path, or has another meaning.
func notInPath(r rune) bool {
	return r <= ' ' || r == 0x7f || slices.Contains([]rune(`?#{}*"<>\^|`+"`"), r) || !unicode.IsPrint(r)
}
