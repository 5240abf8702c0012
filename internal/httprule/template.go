package httprule

// Template is the path of a rule: the URLs that it matches. It is immutable.
type Template struct {
	Segments []Segment

	// Verb follows the last colon of the path, without it; "" if there is none.
	Verb string

	vars []capture
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

// capture is a variable of a template: the segments from start up to end.
type capture struct {
	name       string
	start, end int
}

// Parse parses a template. The error is a *SyntaxError.
func Parse(text string) (*Template, error) {
	return &Template{text: text}, nil
}

// String returns the template as it was written.
func (t *Template) String() string { return t.text }

// SyntaxError is an error in a template.
type SyntaxError struct {
	Offset  int // in bytes, from 0
	Message string
}

// Error implements error.
func (e *SyntaxError) Error() string { return e.Message }
