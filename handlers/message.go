package handlers

import (
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/internal/codec"
)

// message turns the wire bytes of one message type into values of one Go type
// and back. Implementations are immutable and safe for concurrent use.
type message[T any] interface {
	// Unmarshal reads data, which it neither keeps nor frees unless it says so.
	Unmarshal(data mem.BufferSlice) (*T, error)
	Marshal(v *T) (mem.Buffer, error)
}

// maxDepth bounds how deeply the messages inside a request may be nested, where
// a hostile one would exhaust the stack.
const maxDepth = 100

// pool is where encoded messages come from and, once they are sent, return to.
var pool = mem.DefaultBufferPool()

// bindMessage finds the way between T and md: [Dynamic], a generated message
// or a plain struct.
func bindMessage[T any](md protoreflect.MessageDescriptor, types Types, opts options) (message[T], error) {
	var zero *T
	switch v := any(zero).(type) {
	case *Dynamic:
		return any(bindDynamic(md, types)).(message[T]), nil
	case *dynamicpb.Message:
		return nil, errors.New("dynamicpb.Message does not know its type beforehand: use handlers.Dynamic")
	case proto.Message:
		return bindGenerated[T](v, md, types)
	}
	plan, err := codec.Bind[T](md, codec.Options{Alias: opts.alias, MaxDepth: maxDepth})
	if err != nil {
		return nil, err
	}
	return structMessage[T]{plan: plan, alias: opts.alias}, nil
}

// structMessage is a message as a plain Go struct.
type structMessage[T any] struct {
	plan  *codec.Struct[T]
	alias bool
}

func (m structMessage[T]) Unmarshal(data mem.BufferSlice) (*T, error) {
	v := new(T)
	if m.alias {
		return v, decodeError(m.plan.Unmarshal(collectable(data), v))
	}
	b, done := contiguous(data)
	defer done()
	return v, decodeError(m.plan.Unmarshal(b, v))
}

func (m structMessage[T]) Marshal(v *T) (mem.Buffer, error) { return m.plan.Marshal(v, pool) }

// decodeProto unmarshals b and tells missing required fields from malformed
// bytes. dynamicpb, which stands for the extensions of generated messages too,
// panics on some hostile input (a map entry whose key comes again with another
// wire type): that is malformed input like any other. deep says that b may hold
// more levels of messages than the decoder counts.
func decodeProto(b []byte, v proto.Message, types Types, deep bool) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = malformed(fmt.Errorf("%v", p))
		}
	}()
	opts := proto.UnmarshalOptions{AllowPartial: true, RecursionLimit: maxDepth}
	if types != nil {
		opts.Resolver = types
	}
	if err := opts.Unmarshal(b, v); err != nil {
		return malformed(err)
	}
	if deep && exceeds(v.ProtoReflect(), maxDepth) {
		return errTooDeep
	}
	return checkRequired(v)
}

// checkRequired reports missing required fields, which are the caller's
// mistake.
func checkRequired(v proto.Message) error {
	if err := proto.CheckInitialized(v); err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	return nil
}

func encodeProto(v proto.Message) (mem.Buffer, error) {
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

// decodeError gives an error of the codec its status: a missing required field
// is the caller's mistake, bytes that are no message are INTERNAL, as gRPC's
// status code document has it.
func decodeError(err error) error {
	if err == nil {
		return nil // before required is allocated, which it is where it is declared
	}
	var required *codec.RequiredError
	if errors.As(err, &required) {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	return malformed(err)
}

var errTooDeep = malformed(fmt.Errorf("messages are nested deeper than %d", maxDepth))

func malformed(err error) error {
	return status.Errorf(codes.Internal, "cannot decode the request: %v", err)
}

// contiguous returns data as one slice that is valid until done is called.
func contiguous(data mem.BufferSlice) (b []byte, done func()) {
	if len(data) == 1 {
		return data[0].ReadOnlyData(), func() {}
	}
	buf := data.MaterializeToBuffer(pool)
	return buf.ReadOnlyData(), buf.Free
}

// collectable returns data as one slice that belongs to the garbage collector,
// so that values may share it for as long as they live. Pooled buffers are
// written again once they are freed: those are copied.
func collectable(data mem.BufferSlice) []byte {
	if len(data) == 1 {
		if b, ok := data[0].(mem.SliceBuffer); ok {
			return b
		}
	}
	return data.Materialize()
}
