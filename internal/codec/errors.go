package codec

import "github.com/dyngate/dyngate/internal/codec/wire"

// The kinds of errors from reading or writing a message. Test for them with
// errors.Is.
var (
	ErrMalformed   = wire.ErrMalformed   // the bytes are not a message of the type
	ErrRange       = wire.ErrRange       // a value does not fit its Go type, such as a Timestamp after the year 9999
	ErrRequired    = wire.ErrRequired    // a required field is missing
	ErrUnencodable = wire.ErrUnencodable // the Go value is not a message of the type
)

// The errors with the position of a problem in a message.
type (
	// Error names the field.
	Error = wire.Error

	// RequiredError lists the required fields that are missing.
	RequiredError = wire.RequiredError
)
