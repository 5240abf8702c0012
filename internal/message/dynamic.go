package message

import (
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Dynamic is a message of whatever type the method declares, read and built by
// reflection. One that was received is read-only.
type Dynamic struct{ protoreflect.Message }

// parser reads one message, which does not refer to its input.
type parser func([]byte) (protoreflect.Message, error)

// dynamic reads with the fastest parser that the target has, and writes
// whatever it is given.
type dynamic struct {
	name  protoreflect.FullName
	parse func() parser // made at the first message: compiling a large type takes a while
}

// BindDynamic is Bind for messages of any type.
func BindDynamic(md protoreflect.MessageDescriptor, types Types) Codec[Dynamic] {
	return dynamic{
		name:  md.FullName(),
		parse: sync.OnceValue(func() parser { return newParser(md, types) }),
	}
}

func (d dynamic) Unmarshal(data mem.BufferSlice) (*Dynamic, error) {
	b, done := contiguous(data)
	defer done()
	m, err := d.parse()(b)
	if err != nil {
		return nil, err
	}
	return &Dynamic{m}, nil
}

func (d dynamic) Marshal(v *Dynamic) (mem.Buffer, error) {
	if v.Message == nil {
		return nil, errors.New("the Dynamic has no message in it")
	}
	if got := v.Descriptor().FullName(); got != d.name {
		return nil, fmt.Errorf("it is a %s, not a %s", got, d.name)
	}
	return encodeDynamic(v.Interface())
}

// encodeDynamic encodes a message that does not know how to do so itself. To
// ask for its size beforehand would take another walk through all of it by
// reflection, so it is written to spare memory and copied.
func encodeDynamic(v proto.Message) (mem.Buffer, error) {
	spare := pool.Get(spareSize)
	defer pool.Put(spare)
	b, err := proto.MarshalOptions{}.MarshalAppend((*spare)[:0], v)
	if err != nil {
		return nil, err
	}
	return mem.Copy(b, pool), nil
}

// spareSize is a size of the pool's that most messages do not exceed; for those
// that do, append finds more.
const spareSize = 4 << 10

// newDynamicpbParser parses with dynamicpb. deep is whether messages of the type
// can exceed MaxDepth.
func newDynamicpbParser(md protoreflect.MessageDescriptor, types Types, deep bool) parser {
	return func(b []byte) (protoreflect.Message, error) {
		m := dynamicpb.NewMessage(md)
		return m, decodeProto(b, m, types, deep)
	}
}
