package dynamic

import (
	"errors"
	"sync"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/runtime/protoiface"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// Options configure [Options.Unmarshal] and [Options.Marshal].
type Options struct {
	// Resolver finds extensions when a message is read. Default: none, extensions
	// are unknown fields.
	Resolver protoregistry.ExtensionTypeResolver
}

// Unmarshal reads b into m, merging into what is there. The error is a
// *wire.Error of the kind ErrMalformed, after which m holds what was read before
// the error, or a *wire.RequiredError, after which m holds all other fields.
func (o Options) Unmarshal(b []byte, m *Message) error {
	m.mustBeValid()
	d := decoder{in: b, resolver: o.Resolver, depth: wire.MaxDepth}
	if m.typ.hasParts() {
		d.maker = newMaker(len(b))
	}
	whole := m.isEmpty()
	if _, err := d.message(m, 0, len(b), 0); err != nil {
		err.Kind, err.Message = wire.ErrMalformed, m.typ.md.FullName()
		return err
	}
	if whole && !d.partial && !d.foreign {
		return nil
	}
	return m.requiredError()
}

// Append appends the message to b. The error is a *wire.Error of the kind
// ErrUnencodable, or a *wire.RequiredError; the slice is then b.
func (o Options) Append(b []byte, m *Message) ([]byte, error) {
	e, err := o.encode(m)
	if err != nil {
		return b, err
	}
	b = append(b, e.Bytes()...)
	e.release()
	return b, nil
}

// Marshal writes m like Append, into a buffer of the exact size. A buffer that is
// large enough to be pooled comes from pool and returns there when it is freed. A
// nil pool means no pool.
func (o Options) Marshal(m *Message, pool mem.BufferPool) (mem.Buffer, error) {
	e, err := o.encode(m)
	if err != nil {
		return nil, err
	}
	buf := e.Copy(pool)
	e.release()
	return buf, nil
}

func (o Options) encode(m *Message) (*encoder, error) {
	e := newEncoder(wire.MaxDepth)
	if err := e.message(m); err != nil {
		err.Message = m.typ.md.FullName()
		return nil, err
	}
	if e.partial || e.foreign {
		if err := m.requiredError(); err != nil {
			e.release()
			return nil, err
		}
	}
	return e, nil
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

func newEncoder(depth int) *encoder {
	e := encoders.Get().(*encoder)
	e.Reset()
	e.depth, e.deterministic, e.partial, e.foreign = depth, false, false, false
	return e
}

// maxScratch bounds the buffer that is kept for the next message.
const maxScratch = 1 << 20

func (e *encoder) release() {
	if e.Cap() <= maxScratch {
		encoders.Put(e)
	}
}

// methods are the functions that package proto calls instead of using reflection.
// Size is missing: writing a message backwards takes less time than measuring it.
var methods = protoiface.Methods{
	Flags:            protoiface.SupportMarshalDeterministic | protoiface.SupportUnmarshalDiscardUnknown,
	Marshal:          marshal,
	Unmarshal:        unmarshal,
	Merge:            merge,
	CheckInitialized: checkInitialized,
}

func marshal(in protoiface.MarshalInput) (protoiface.MarshalOutput, error) {
	m, ok := asMessage(in.Message)
	if !ok {
		return protoiface.MarshalOutput{Buf: in.Buf}, errNotMessage
	}
	e := newEncoder(maxProtoDepth)
	e.deterministic = in.Flags&protoiface.MarshalDeterministic != 0
	if err := e.message(m); err != nil {
		err.Message = m.typ.md.FullName()
		return protoiface.MarshalOutput{Buf: in.Buf}, err
	}
	out := protoiface.MarshalOutput{Buf: append(in.Buf, e.Bytes()...)}
	e.release()
	return out, nil
}

func unmarshal(in protoiface.UnmarshalInput) (protoiface.UnmarshalOutput, error) {
	var out protoiface.UnmarshalOutput
	m, ok := asMessage(in.Message)
	if !ok {
		return out, errNotMessage
	}
	m.mustBeValid()
	d := decoder{
		in: in.Buf, resolver: in.Resolver, depth: min(in.Depth, maxProtoDepth),
		discard: in.Flags&protoiface.UnmarshalDiscardUnknown != 0,
	}
	if m.typ.hasParts() {
		d.maker = newMaker(len(in.Buf))
	}
	whole := m.isEmpty()
	if _, err := d.message(m, 0, len(in.Buf), 0); err != nil {
		err.Kind, err.Message = wire.ErrMalformed, m.typ.md.FullName()
		return out, err
	}
	if whole && !d.partial && !d.foreign {
		out.Flags |= protoiface.UnmarshalInitialized
	}
	return out, nil
}

// errNotMessage is for types that embed a Message and have a ProtoReflect of their own.
var errNotMessage = errors.New("dynamic: the message is not a dynamic.Message")

func merge(in protoiface.MergeInput) protoiface.MergeOutput {
	dst, ok := asMessage(in.Destination)
	src, same := asMessage(in.Source)
	if !ok || !same || dst.typ != src.typ {
		return protoiface.MergeOutput{}
	}
	dst.mustBeValid()
	new(maker).merge(dst, src)
	return protoiface.MergeOutput{Flags: protoiface.MergeComplete}
}

func checkInitialized(in protoiface.CheckInitializedInput) (protoiface.CheckInitializedOutput, error) {
	var out protoiface.CheckInitializedOutput
	m, ok := asMessage(in.Message)
	if !ok {
		return out, errNotMessage
	}
	return out, m.requiredError()
}

// singleExtension is a message that has one extension and nothing else.
type singleExtension struct {
	protoreflect.Message
	x *extension
}

func (c singleExtension) ProtoReflect() protoreflect.Message   { return c }
func (c singleExtension) Interface() protoreflect.ProtoMessage { return c }
func (c singleExtension) ProtoMethods() *protoiface.Methods    { return nil }
func (c singleExtension) GetUnknown() protoreflect.RawFields   { return nil }
func (c singleExtension) Range(visit func(protoreflect.FieldDescriptor, protoreflect.Value) bool) {
	visit(c.x.xd, c.x.value)
}

var _ proto.Message = singleExtension{}
