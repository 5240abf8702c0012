// Package wire reads and writes the pieces of protobuf's wire format that the
// packages structs and dynamic share: varints, tags, lengths, fields to skip, and a
// buffer that is written from its end to its start. It also has their errors.
//
// Readers take the input and a position, and return where the value ends, so
// that a hot loop needs no sub-slices. A position that is not positive means
// that the input is malformed; [Malformed] turns it into an error.
//
// The format is described in https://protobuf.dev/programming-guides/encoding.
package wire
