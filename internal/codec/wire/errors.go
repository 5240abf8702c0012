package wire

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// The four ways in which reading or writing a message fails. Test for them
// with errors.Is.
var (
	// ErrMalformed: the bytes are not a message of the type: truncated or corrupt
	// wire data, invalid UTF-8, or messages that are nested too deeply.
	ErrMalformed = errors.New("malformed message")

	// ErrRange: a value of the message is outside the range of its Go type, such
	// as a Timestamp after the year 9999.
	ErrRange = errors.New("value out of range")

	// ErrRequired: a required field is missing; the error is a *RequiredError.
	ErrRequired = errors.New("required field missing")

	// ErrUnencodable: the Go value is not a message of the type: a string that is
	// not UTF-8, two members of a oneof, a number out of range, a name that the
	// enum does not have, or a cycle of pointers.
	ErrUnencodable = errors.New("value cannot be encoded")
)

// Error is an error in a message that is read or a value that is written.
// errors.Is finds its kind: ErrMalformed, ErrRange or ErrUnencodable.
type Error struct {
	Kind    error                 // ErrMalformed, ErrRange or ErrUnencodable
	Message protoreflect.FullName // the message that was read or written
	Path    string                // the field, as in items[3].price.units; "" for the message itself
	Detail  string                // what is wrong with it
}

// Error implements error.
func (e *Error) Error() string {
	where := string(e.Message)
	if e.Path != "" {
		where += ", field " + e.Path
	}
	return fmt.Sprintf("%v: %s: %s", e.Kind, where, e.Detail)
}

// Unwrap returns e.Kind.
func (e *Error) Unwrap() error { return e.Kind }

// RequiredError lists the required fields that a message lacks. errors.Is finds
// ErrRequired in it.
type RequiredError struct {
	Message protoreflect.FullName // the message that was read or written
	Paths   []string              // the missing fields, as in items[3].sku
}

// Error implements error.
func (e *RequiredError) Error() string {
	return fmt.Sprintf("%v: %s: %s", ErrRequired, e.Message, strings.Join(e.Paths, ", "))
}

// Unwrap returns ErrRequired.
func (e *RequiredError) Unwrap() error { return ErrRequired }

// In prepends a field to the path of an error that occurred inside the field.
func (e *Error) In(field string) *Error {
	e.Path = Join(field, e.Path)
	return e
}

// Elem prepends an index to the path. The name of the list is added by In.
func (e *Error) Elem(i int) *Error {
	e.Path = Join("["+strconv.Itoa(i)+"]", e.Path)
	return e
}

// Join joins two parts of a path.
func Join(head, tail string) string {
	switch {
	case head == "":
		return tail
	case tail == "" || tail[0] == '[':
		return head + tail
	}
	return head + "." + tail
}

// NewMalformed returns an error of the kind ErrMalformed.
func NewMalformed(detail string) *Error { return &Error{Kind: ErrMalformed, Detail: detail} }

// NewRange returns an error of the kind ErrRange.
func NewRange(detail string) *Error { return &Error{Kind: ErrRange, Detail: detail} }

// NewUnencodable returns an error of the kind ErrUnencodable.
func NewUnencodable(format string, args ...any) *Error {
	return &Error{Kind: ErrUnencodable, Detail: fmt.Sprintf(format, args...)}
}

// maxLabel bounds how many bytes of a key a path shows.
const maxLabel = 64

// Label returns a string key of a map in the form for paths. A long one is cut:
// callers choose the keys.
func Label(key string) string {
	if len(key) > maxLabel {
		return strconv.Quote(key[:maxLabel]) + "..."
	}
	return strconv.Quote(key)
}

// MaxMissing bounds how many missing fields a RequiredError names.
const MaxMissing = 100
