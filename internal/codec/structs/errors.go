package structs

import "github.com/dyngate/dyngate/internal/codec/wire"

// The errors of reading and writing, which the engines share.
type (
	// Error is what is wrong with a message that is read or a value that is
	// written.
	Error = wire.Error

	// RequiredError lists the required fields that a message lacks.
	RequiredError = wire.RequiredError
)

// The four ways in which reading or writing a message fails. Test for them
// with errors.Is; package wire says more of each.
var (
	ErrMalformed   = wire.ErrMalformed
	ErrRange       = wire.ErrRange
	ErrRequired    = wire.ErrRequired
	ErrUnencodable = wire.ErrUnencodable
)

// noIndex stands for "not an element of a list" where an index is asked for.
const noIndex = -1
