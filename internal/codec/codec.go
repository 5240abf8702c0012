// Package codec moves messages between protobuf wire bytes and the Go values
// that users write: plain structs, generated messages, and [Dynamic]. Servers
// and clients bind their functions with it, so both take the same types and
// refuse the same ones.
//
// It is the entrance to the packages below it. Package structs reads and writes
// plain structs, package dynamic has the messages of types that are known at run
// time only, and package wire is what the two share.
//
// Hostile bytes end in an error, whatever the type: messages may be nested
// [MaxDepth] deep, and a decoder's panic becomes an error.
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

// Codec turns the wire bytes of one message type into values of one Go type
// and back. It is immutable and safe for concurrent use.
type Codec[T any] interface {
	// Unmarshal reads data, which it neither frees nor keeps unless
	// Options.Alias says so. The errors are of the kinds ErrMalformed, ErrRange
	// and ErrRequired.
	Unmarshal(data mem.BufferSlice) (*T, error)

	// Marshal writes v, which must not be nil.
	Marshal(v *T) (mem.Buffer, error)
}

// Options configure how messages are read.
type Options struct {
	// Alias lets the strings and bytes of plain structs share the input.
	Alias bool
}

// MaxDepth bounds how deeply messages may be nested, on the wire and in JSON.
const MaxDepth = wire.MaxDepth

// pool has the buffers of encoded messages, which return to it when they have been
// sent. grpc's own pool has no sizes between 32 KiB and 1 MiB: it would clear a
// megabyte for an answer of 40 KB.
var pool = newPool()

func newPool() mem.BufferPool {
	p, err := mem.NewBinaryTieredBufferPool(8, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22)
	if err != nil {
		panic(err) // one of the sizes is impossible
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
