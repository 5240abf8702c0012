package structs

import "github.com/dyngate/dyngate/internal/codec/wire"

// The errors of reading and writing, which are those of package wire.
type (
	// Error is an error in a message that is read or a value that is written.
	Error = wire.Error

	// RequiredError lists the required fields that a message lacks.
	RequiredError = wire.RequiredError
)

// The four ways in which reading or writing a message fails. Test for them
// with errors.Is; package wire describes each.
var (
	ErrMalformed   = wire.ErrMalformed
	ErrRange       = wire.ErrRange
	ErrRequired    = wire.ErrRequired
	ErrUnencodable = wire.ErrUnencodable
)

// noIndex is the index of a value that is not an element of a list.
const noIndex = -1
