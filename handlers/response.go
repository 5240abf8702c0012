package handlers

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/dyngate/dyngate/internal/codec"
)

// responseError is the error for a response that cannot be encoded.
type responseError struct{ err error }

func (e *responseError) Error() string { return "cannot encode the response: " + e.err.Error() }

func (e *responseError) Unwrap() error { return e.err }

// forCaller returns the error text for the caller: the message and the fields,
// which the schema declares, but no values. The keys of maps are values.
func (e *responseError) forCaller() string {
	var wrong *codec.Error
	if errors.As(e.err, &wrong) && wrong.Path != "" {
		return fmt.Sprintf("cannot encode the response: %s, field %s", wrong.Message, withoutKeys(wrong.Path))
	}
	var missing *codec.RequiredError
	if errors.As(e.err, &missing) {
		return fmt.Sprintf("cannot encode the response: %s lacks the required %s", missing.Message, withoutKeys(strings.Join(missing.Paths, ", ")))
	}
	return "internal error"
}

// mapKey matches the key of a map, or the index of a list, in the path of a
// field: a string, a number or a bool. Other brackets contain the name of an
// extension.
var mapKey = regexp.MustCompile(`\[(?:"(?:[^"\\]|\\.)*"(?:\.\.\.)?|-?\d+|true|false)\]`)

func withoutKeys(path string) string { return mapKey.ReplaceAllString(path, "[]") }
