package handlers

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Dynamic is a message of whatever type the method declares, read and built by
// reflection: for handlers that serve methods which they do not know
// beforehand. A request is read-only; [NewReply] makes a message to fill.
//
//	name := in.Get(in.Descriptor().Fields().ByName("name")).String()
type Dynamic struct{ protoreflect.Message }

// NewReply returns an empty message of the response type of the method that is
// being called. ctx must come from a call to an adapter that has Dynamic for a
// type, else NewReply panics.
func NewReply(ctx context.Context) *Dynamic {
	m := ctx.Value(methodKey{}).(*Method)
	return &Dynamic{dynamicpb.NewMessage(m.Output())}
}

type methodKey struct{}

func withMethod(ctx context.Context, m *Method) context.Context {
	return context.WithValue(ctx, methodKey{}, m)
}

func isDynamic[T any]() bool {
	_, ok := any((*T)(nil)).(*Dynamic)
	return ok
}

// parser reads one message, which does not refer to its input.
type parser func([]byte) (protoreflect.Message, error)

// dynamicMessage reads with the fastest parser that the target has, and writes
// whatever it is given.
type dynamicMessage struct {
	name  protoreflect.FullName
	parse func() parser // made at the first message: compiling a large type takes a while
}

func bindDynamic(md protoreflect.MessageDescriptor, types Types) dynamicMessage {
	return dynamicMessage{
		name:  md.FullName(),
		parse: sync.OnceValue(func() parser { return newParser(md, types) }),
	}
}

func (d dynamicMessage) Unmarshal(data mem.BufferSlice) (*Dynamic, error) {
	b, done := contiguous(data)
	defer done()
	m, err := d.parse()(b)
	if err != nil {
		return nil, err
	}
	return &Dynamic{m}, nil
}

func (d dynamicMessage) Marshal(v *Dynamic) (mem.Buffer, error) {
	if v.Message == nil {
		return nil, errors.New("the handler returned an empty Dynamic: make it with NewReply")
	}
	if got := v.Descriptor().FullName(); got != d.name {
		return nil, fmt.Errorf("the handler returned a %s, the method's response is %s", got, d.name)
	}
	return encodeProto(v.Interface())
}

// newDynamicpbParser parses with dynamicpb, which panics on some hostile input
// (a map entry whose key comes again with another wire type): that is caught
// and is malformed input like any other.
func newDynamicpbParser(md protoreflect.MessageDescriptor, types Types) parser {
	return func(b []byte) (_ protoreflect.Message, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = malformed(fmt.Errorf("%s: %v", md.FullName(), p))
			}
		}()
		m := dynamicpb.NewMessage(md)
		return m, decodeProto(b, m, types)
	}
}
