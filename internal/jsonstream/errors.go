package jsonstream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// explain returns the error of the document at the start of buf.
func (r *Reader) explain(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		at := min(max(int(syntax.Offset)-1, 0), len(r.buf))
		for !utf8.FullRune(r.buf[at:]) && r.fill() == nil {
		}
		line, column := r.position(at)
		found, _ := utf8.DecodeRune(r.buf[at:])
		return fmt.Errorf("document %d, line %d:%d: %s", r.document, line, column, problem(syntax.Error(), found))
	case err == errTooLarge:
		return fmt.Errorf("document %d, which begins at line %d:%d, is larger than %d bytes", r.document, r.line, r.column, r.max)
	case r.inErr == io.EOF:
		return fmt.Errorf("document %d: the input ends inside a document that began at line %d:%d", r.document, r.line, r.column)
	}
	return fmt.Errorf("document %d: %w", r.document, err)
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

// Error is an error in a stream of documents.
type Error struct {
	Document     int // the number of the document, from 1
	Line, Column int // in the input, from 1; 0 if unknown
	Problem      string
	TooLarge     bool  // the document is larger than the limit
	Err          error // the error of the input, if that is the problem
}
