// Package codec converts messages between protobuf's binary format and the Go
// values of users: plain structs, generated messages, and [Dynamic]. Servers
// and clients both use it to bind functions, so they accept the same types.
//
// It is the facade of the packages below it. Package structs reads and writes
// plain structs, package dynamic implements messages of types that are only
// known at run time, and both use package wire.
//
// Hostile bytes cause an error for every type: messages may be nested up to
// [MaxDepth] levels, and a decoder's panic becomes an error.
package codec

import (
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/structs"
	"github.com/dyngate/dyngate/internal/codec/wire"
)

// Types resolves message and extension types.
type Types = wire.Types

// Codec decodes and encodes values of one Go type as messages of one type. It
// is immutable and safe for concurrent use.
type Codec[T any] interface {
	// Unmarshal reads data. It does not free data, and does not retain it unless
	// Options.Alias is set. The errors are of the kinds ErrMalformed, ErrRange and
	// ErrRequired.
	Unmarshal(data mem.BufferSlice) (*T, error)

	// Marshal writes v, which must not be nil.
	Marshal(v *T) (mem.Buffer, error)
}

// Options configure how messages are read.
type Options struct {
	// Alias lets the strings and bytes of plain structs share the input.
	Alias bool
}

// MaxDepth limits how deeply messages may be nested, in the binary format and
// in JSON.
const MaxDepth = wire.MaxDepth

// pool holds the buffers of encoded messages, which are returned after sending.
// grpc's pool has no sizes between 32 KiB and 1 MiB: it would clear a megabyte
// for a response of 40 KB.
var pool = newPool()

func newPool() mem.BufferPool {
	p, err := mem.NewBinaryTieredBufferPool(8, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22)
	if err != nil {
		panic(err) // cannot happen: the sizes are valid
	}
	return p
}

// Bind returns the Codec of T for the message type md. types, which may be nil,
// resolves the extensions of generated and dynamic messages. The error has a line
// for each mismatch.
func Bind[T any](md protoreflect.MessageDescriptor, types Types, opts Options) (Codec[T], error) {
	var zero *T
	switch v := any(zero).(type) {
	case *Dynamic:
		return any(BindDynamic(md, types)).(Codec[T]), nil
	case proto.Message:
		return bindGenerated[T](v, md, types)
	}
	plan, err := structs.Bind[T](md, structs.Options{Alias: opts.Alias})
	if err != nil {
		return nil, err
	}
	return plain[T]{plan: plan, alias: opts.Alias}, nil
}
