package handlers

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Dynamic is a message of whatever type the method declares, read and built by
// reflection: for handlers that serve methods which they do not know
// beforehand. A request is read-only; [Method.NewReply] makes a message to fill.
//
//	name := in.Get(in.Descriptor().Fields().ByName("name")).String()
//	out := handlers.MethodFrom(ctx).NewReply()
//	out.Set(out.Descriptor().Fields().ByName("message"), protoreflect.ValueOfString("Hello, "+name))
type Dynamic struct{ protoreflect.Message }

// NewReply returns an empty message of the method's response type.
func (m *Method) NewReply() *Dynamic {
	return &Dynamic{dynamicpb.NewMessage(m.Output())}
}

// NewMessage returns an empty message of any type in the import closure of the
// method's file. It is the way to error details of the schema's own types:
//
//	detail, err := handlers.MethodFrom(ctx).NewMessage("shop.OutOfStock")
//	...
//	st, err := status.New(codes.FailedPrecondition, "sold out").
//		WithDetails(protoadapt.MessageV1Of(detail.Interface()))
func (m *Method) NewMessage(name protoreflect.FullName) (*Dynamic, error) {
	mt, err := m.Types.FindMessageByName(name)
	if err != nil {
		return nil, fmt.Errorf("message %s is not in the schema of %s: %w", name, m.Path(), err)
	}
	return &Dynamic{mt.New()}, nil
}

// MethodFrom returns the method that is being called. ctx must come from an
// adapter of this package or from one of those that it derives; else MethodFrom
// returns nil.
func MethodFrom(ctx context.Context) *Method {
	m, _ := ctx.Value(methodKey{}).(*Method)
	return m
}

type methodKey struct{}

// callContext is the context that handlers get. It is a type of its own as that
// costs each call less than context.WithValue does.
type callContext struct {
	context.Context //nolint:containedctx // it is one
	method          *Method
}

func (c callContext) Value(key any) any {
	if key == (methodKey{}) {
		return c.method
	}
	return c.Context.Value(key)
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
		return nil, errors.New("the handler returned an empty Dynamic: make it with Method.NewReply")
	}
	if got := v.Descriptor().FullName(); got != d.name {
		return nil, fmt.Errorf("the handler returned a %s, the method's response is %s", got, d.name)
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
// can exceed maxDepth.
func newDynamicpbParser(md protoreflect.MessageDescriptor, types Types, deep bool) parser {
	return func(b []byte) (protoreflect.Message, error) {
		m := dynamicpb.NewMessage(md)
		return m, decodeProto(b, m, types, deep)
	}
}
