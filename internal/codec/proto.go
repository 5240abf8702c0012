package codec

import (
	"fmt"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/internal/codec/dynamic"
)

// Decode reads b into v, a message of any implementation, within the limits of this
// package.
// The errors are those of [Codec].
func Decode(b []byte, v proto.Message, types Types) error {
	if m, ok := v.(*dynamic.Message); ok {
		return decodeDynamic(b, m, types)
	}
	return decodeProto(b, v, types, canExceed(v.ProtoReflect().Descriptor(), MaxDepth))
}

// decodeProto unmarshals b. Its error distinguishes missing required fields
// from malformed bytes. A panic counts as malformed bytes: v may be of any
// implementation, and some (dynamicpb) panic on hostile input. deep reports
// that messages of v's type may be nested deeper than MaxDepth.
func decodeProto(b []byte, v proto.Message, types Types, deep bool) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = kindError{ErrMalformed, fmt.Errorf("%v", p)}
		}
	}()
	opts := proto.UnmarshalOptions{AllowPartial: true, RecursionLimit: MaxDepth}
	if types != nil {
		opts.Resolver = types
	}
	if err := opts.Unmarshal(b, v); err != nil {
		return kindError{ErrMalformed, err}
	}
	if deep && exceeds(v.ProtoReflect(), MaxDepth) {
		return errTooDeep
	}
	return checkRequired(v)
}

func checkRequired(v proto.Message) error {
	if err := proto.CheckInitialized(v); err != nil {
		return kindError{ErrRequired, err}
	}
	return nil
}

// Encode writes a message of any implementation into a buffer of the exact size.
func Encode(v proto.Message) (mem.Buffer, error) {
	size := proto.Size(v)
	if mem.IsBelowBufferPoolingThreshold(size) {
		b, err := proto.MarshalOptions{UseCachedSize: true}.Marshal(v)
		return mem.SliceBuffer(b), err
	}
	buf := pool.Get(size)
	if _, err := (proto.MarshalOptions{UseCachedSize: true}).MarshalAppend((*buf)[:0], v); err != nil {
		pool.Put(buf)
		return nil, err
	}
	return mem.NewBuffer(buf, pool), nil
}

var errTooDeep = kindError{ErrMalformed, fmt.Errorf("messages are nested deeper than %d", MaxDepth)}

// kindError is an error of the protobuf runtime with one of the kinds in errors.go.
type kindError struct{ kind, err error }

func (e kindError) Error() string   { return e.err.Error() }
func (e kindError) Unwrap() []error { return []error{e.kind, e.err} }
