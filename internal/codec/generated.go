package codec

import (
	"errors"
	"fmt"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/typename"
)

// generatedMessage is the codec of a generated type.
type generatedMessage[T any] struct {
	types Types
	deep  bool
}

func bindGenerated[T any](zero proto.Message, md protoreflect.MessageDescriptor, types Types) (Codec[T], error) {
	generated := generatedFor(zero)
	if generated == nil {
		return nil, fmt.Errorf("%T has no message type of its own: use Dynamic", zero)
	}
	if generated.FullName() != md.FullName() {
		return nil, fmt.Errorf("%T is the generated code of %s: use that of %s", zero, generated.FullName(), md.FullName())
	}
	if err := compareMessages(generated, md); err != nil {
		return nil, err
	}
	return generatedMessage[T]{types: types, deep: canExceed(md, MaxDepth)}, nil
}

// generatedFor returns the message type that a Go type was generated for. It is
// nil for a Go type that can have any message type, such as dynamicpb.Message,
// if no value is set.
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

// CompareMethods compares a method in generated code with the same method in a
// schema. The error has a line for each field with incompatible types. Fields
// that only one of them has are compatible, because the other ignores them.
func CompareMethods(generated, schema protoreflect.MethodDescriptor) error {
	return joinDistinct(compareMessages(generated.Input(), schema.Input()), compareMessages(generated.Output(), schema.Output()))
}

func compareMessages(generated, schema protoreflect.MessageDescriptor) error {
	if generated.FullName() != schema.FullName() {
		return fmt.Errorf("the message %s is %s in the generated code", schema.FullName(), generated.FullName())
	}
	return errors.Join(compareFields(generated, schema, make(map[protoreflect.FullName]bool))...)
}

// compareFields returns an error for each field that differs, in these messages
// and in those nested in them.
func compareFields(generated, schema protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) (differences []error) {
	if seen[generated.FullName()] {
		return nil
	}
	seen[generated.FullName()] = true
	for i := range generated.Fields().Len() {
		a := generated.Fields().Get(i)
		b := schema.Fields().ByNumber(a.Number())
		if b == nil {
			continue
		}
		if !sameType(a, b) {
			differences = append(differences, fmt.Errorf("the field %s is %s, and %s in the generated code", b.FullName(), typename.OfField(b), typename.OfField(a)))
		} else if a.Message() != nil {
			differences = append(differences, compareFields(a.Message(), b.Message(), seen)...)
		}
	}
	return differences
}

// sameType reports whether two fields have the same type in the binary format.
// There, all enums have the same type.
func sameType(a, b protoreflect.FieldDescriptor) bool {
	if a.IsMap() && b.IsMap() {
		return sameType(a.MapKey(), b.MapKey()) && sameType(a.MapValue(), b.MapValue())
	}
	if a.Kind() != b.Kind() || a.IsList() != b.IsList() || a.IsMap() != b.IsMap() {
		return false
	}
	return a.Message() == nil || a.Message().FullName() == b.Message().FullName()
}
