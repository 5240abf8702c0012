package message

import (
	"errors"
	"fmt"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/typename"
)

// generatedMessage is a message as generated code.
type generatedMessage[T any] struct {
	types Types
	deep  bool
}

func bindGenerated[T any](zero proto.Message, md protoreflect.MessageDescriptor, types Types) (Codec[T], error) {
	generated := generatedFor(zero)
	if generated == nil {
		return nil, fmt.Errorf("%T does not know its type beforehand: use Dynamic", zero)
	}
	if generated.FullName() != md.FullName() {
		return nil, fmt.Errorf("%T is the generated code of %s: use that of %s", zero, generated.FullName(), md.FullName())
	}
	if err := errors.Join(differences(generated, md, make(map[protoreflect.FullName]bool))...); err != nil {
		return nil, fmt.Errorf("%T was generated from another schema: %w", zero, err)
	}
	return generatedMessage[T]{types: types, deep: canExceed(md, MaxDepth)}, nil
}

// generatedFor returns the message type that a Go type was generated for. It is nil
// for a Go type that stands for any, such as dynamicpb.Message: without a value
// there is nothing to ask.
func generatedFor(zero proto.Message) (md protoreflect.MessageDescriptor) {
	defer func() { _ = recover() }()
	return zero.ProtoReflect().Descriptor()
}

func (m generatedMessage[T]) Unmarshal(data mem.BufferSlice) (*T, error) {
	v := new(T)
	b, done := contiguous(data)
	defer done()
	return v, decodeProto(b, any(v).(proto.Message), m.types, m.deep)
}

func (m generatedMessage[T]) Marshal(v *T) (mem.Buffer, error) {
	return Encode(any(v).(proto.Message))
}

// differences says which fields two versions of a message would read
// differently. A field that only one of them has is none: it is unknown to the
// other, as it is between any two versions.
func differences(a, b protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) (found []error) {
	if seen[a.FullName()] {
		return nil
	}
	seen[a.FullName()] = true
	for i := range a.Fields().Len() {
		fa := a.Fields().Get(i)
		fb := b.Fields().ByNumber(fa.Number())
		if fb == nil {
			continue
		}
		if ta, tb := typename.OfField(fa), typename.OfField(fb); ta != tb {
			found = append(found, fmt.Errorf("%s is %s in the generated code, %s in the schema", fb.FullName(), ta, tb))
		} else if fa.Message() != nil {
			found = append(found, differences(fa.Message(), fb.Message(), seen)...)
		}
	}
	return found
}
