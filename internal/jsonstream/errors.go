package jsonstream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Error is an error in a stream of documents.
type Error struct {
	// Document is the number of the broken document, from 1; 0 if the error is not
	// in a document.
	Document int

	// Line and Column are the position of the error in the input, from 1; the column
	// counts characters. For a document that is too large or incomplete they are the
	// position of its beginning. Both are 0 for errors of the input.
	Line, Column int

	// TooLarge reports that the document is larger than the limit.
	TooLarge bool

	// Err is the error of the input, or nil.
	Err error

	text string
}

// Error implements error.
func (e *Error) Error() string { return e.text }

// Unwrap returns the error of the input.
func (e *Error) Unwrap() error { return e.Err }

// explain returns the error of the document at the start of buf.
func (r *Reader) explain(err error) *Error {
	e := &Error{Document: r.document, Line: r.line, Column: r.column}
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		at := min(max(int(syntax.Offset)-1, 0), len(r.buf))
		for !utf8.FullRune(r.buf[at:]) && r.fill() == nil {
		}
		e.Line, e.Column = r.position(at)
		found, _ := utf8.DecodeRune(r.buf[at:])
		e.text = fmt.Sprintf("document %d, line %d:%d: %s", r.document, e.Line, e.Column, problem(syntax.Error(), found))
	case err == errTooLarge:
		e.TooLarge = true
		e.text = fmt.Sprintf("document %d, which begins at line %d:%d, is larger than %d bytes", r.document, r.line, r.column, r.max)
	case r.inErr == io.EOF:
		e.text = fmt.Sprintf("document %d: the input ends inside a document that began at line %d:%d", r.document, r.line, r.column)
	default:
		e.Line, e.Column, e.Err = 0, 0, err
		e.text = fmt.Sprintf("document %d: %s", r.document, err)
	}
	return e
}

// between returns an error at the start of buf, outside all documents.
func (r *Reader) between(problem string) *Error {
	return &Error{Line: r.line, Column: r.column, text: fmt.Sprintf("line %d:%d: %s", r.line, r.column, problem)}
}

// unexpected returns the error for the character at the start of buf.
func (r *Reader) unexpected(problem string) *Error {
	for !utf8.FullRune(r.buf) && r.fill() == nil {
	}
	found, _ := utf8.DecodeRune(r.buf)
	return r.between(fmt.Sprintf("%s, found %q", problem, found))
}

// expectations maps the end of an error of encoding/json to what was expected.
var expectations = map[string]string{
	"looking for beginning of value":             "expected a value",
	"looking for beginning of object key string": "expected a key in double quotes",
	"after object key":                           "expected a colon after the key",
	"after object key:value pair":                "expected a comma or a closing brace",
	"after array element":                        "expected a comma or a closing bracket",
	"in string literal":                          "expected a closing quote or an escape in the string",
	"in string escape code":                      `expected one of "\/bfnrtu after the backslash`,
	`in \u hexadecimal character escape`:         `expected four hexadecimal digits after \u`,
	"in numeric literal":                         "expected a digit",
	"after decimal point in numeric literal":     "expected a digit",
	"in exponent of numeric literal":             "expected a digit",
}

// problem returns the error of encoding/json in plain words.
func problem(text string, found rune) string {
	if strings.HasSuffix(text, "exceeded max depth") {
		return "the document is nested too deeply"
	}
	context := text[strings.LastIndex(text, "' ")+1:]
	if want, ok := expectations[strings.TrimSpace(context)]; ok {
		return fmt.Sprintf("%s, found %q", want, found)
	}
	if strings.HasPrefix(context, " in literal ") {
		return fmt.Sprintf("unexpected %q%s", found, context)
	}
	return text
}
