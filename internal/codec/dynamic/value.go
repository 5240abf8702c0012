package dynamic

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// boxNumber returns a number as a protoreflect.Value.
func (f *field) boxNumber(x uint64) protoreflect.Value {
	switch f.kind {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(x != 0)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(int32(x)))
	case protoreflect.Int32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(x))
	case protoreflect.Sint32Kind:
		return protoreflect.ValueOfInt32(int32(protowire.DecodeZigZag(x)))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(x))
	case protoreflect.Int64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(int64(x))
	case protoreflect.Sint64Kind:
		return protoreflect.ValueOfInt64(protowire.DecodeZigZag(x))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(math.Float32frombits(uint32(x)))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(math.Float64frombits(x))
	}
	return protoreflect.ValueOfUint64(x)
}

// unboxNumber is the reverse of boxNumber. It panics if v is of another type: the
// accessors of a Value panic for all but numbers, and Equal compares the width.
func (f *field) unboxNumber(v protoreflect.Value) uint64 {
	var x uint64
	var made protoreflect.Value
	switch f.kind {
	case protoreflect.Int64Kind, protoreflect.Sfixed64Kind, protoreflect.Sint64Kind:
		made = protoreflect.ValueOfInt64(v.Int())
		x = uint64(v.Int())
	case protoreflect.Int32Kind, protoreflect.Sfixed32Kind, protoreflect.Sint32Kind:
		made = protoreflect.ValueOfInt32(int32(v.Int()))
		x = uint64(v.Int())
	case protoreflect.BoolKind:
		if v.Bool() {
			x = 1
		}
		return x
	case protoreflect.EnumKind:
		return uint64(v.Enum())
	case protoreflect.FloatKind:
		made = protoreflect.ValueOfFloat32(float32(v.Float()))
		x = uint64(math.Float32bits(float32(v.Float())))
	case protoreflect.DoubleKind:
		made = protoreflect.ValueOfFloat64(v.Float())
		x = math.Float64bits(v.Float())
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		made = protoreflect.ValueOfUint32(uint32(v.Uint()))
		x = v.Uint()
	default:
		made = protoreflect.ValueOfUint64(v.Uint())
		x = v.Uint()
	}
	if !made.Equal(v) {
		f.wrongType(v)
	}
	switch f.kind {
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return protowire.EncodeZigZag(int64(x))
	case protoreflect.Sfixed32Kind:
		return uint64(uint32(x))
	}
	return x
}

func (f *field) wrongType(v protoreflect.Value) {
	panic(fmt.Sprintf("dynamic: %s cannot be set to a %T", f.fd.FullName(), v.Interface()))
}

// unboxText panics if v is not a string.
func (f *field) unboxText(v protoreflect.Value) string {
	s := v.String() // of other types it is some text about them
	if !protoreflect.ValueOfString(s).Equal(v) {
		f.wrongType(v)
	}
	return s
}

// isInvalid reports whether v is a string that must be UTF-8 and is not.
func (f *field) isInvalid(v protoreflect.Value) bool {
	return f.utf8 && !utf8.ValidString(v.String())
}

// unboxMessage returns v as a message of this package, or a copy if v is of another
// implementation. It panics if v is not a message of the field's type.
func (f *field) unboxMessage(v protoreflect.Value) *Message {
	given := v.Message()
	if !given.IsValid() {
		panic(fmt.Sprintf("dynamic: %s cannot be set to a read-only message", f.fd.FullName()))
	}
	want := f.fd.Message()
	if given.Descriptor().FullName() != want.FullName() {
		panic(fmt.Sprintf("dynamic: %s cannot be set to a %s", f.fd.FullName(), given.Descriptor().FullName()))
	}
	if m, ok := asMessage(given); ok && m.typ.md == want {
		return m
	}
	b, err := proto.MarshalOptions{AllowPartial: true}.Marshal(given.Interface())
	m := f.messageType().NewMessage()
	if err == nil {
		err = proto.UnmarshalOptions{AllowPartial: true}.Unmarshal(b, m)
	}
	if err != nil {
		panic(fmt.Sprintf("dynamic: %s cannot be set to this message: %v", f.fd.FullName(), err))
	}
	return m
}

// asMessage returns m as a message of this package, if it is one or wraps one.
func asMessage(m protoreflect.Message) (*Message, bool) {
	if m, ok := m.(*Message); ok {
		return m, true
	}
	inner, ok := m.Interface().(*Message)
	return inner, ok
}

// filled returns a list or map as a protoreflect.Value. If it is empty, that is the
// one that cannot be changed.
func (f *field) filled(ref any) protoreflect.Value {
	// The most frequent types come first.
	switch l := ref.(type) {
	case *messageList:
		if len(l.v) > 0 {
			return protoreflect.ValueOfList(l)
		}
	case *textList:
		if len(l.v) > 0 {
			return protoreflect.ValueOfList(l)
		}
	case *numberList:
		if len(l.v) > 0 {
			return protoreflect.ValueOfList(l)
		}
	case *textTable:
		if len(l.entries) > 0 {
			return protoreflect.ValueOfMap(l)
		}
	default:
		if ref.(container).Len() > 0 {
			return boxRef(ref)
		}
	}
	return f.empty
}

// boxRef returns a list or map as a protoreflect.Value.
func boxRef(ref any) protoreflect.Value {
	if l, ok := ref.(protoreflect.List); ok {
		return protoreflect.ValueOfList(l)
	}
	return protoreflect.ValueOfMap(ref.(protoreflect.Map))
}

// unset returns what Get returns for a field that is not set.
func (f *field) unset() protoreflect.Value {
	if f.shape == single {
		switch f.class {
		case message:
			return protoreflect.ValueOfMessage(f.messageType().zero)
		case blob:
			return protoreflect.ValueOfBytes(slices.Clone(f.empty.Bytes())) // the descriptor's must not be changed
		}
	}
	return f.empty
}

// fresh returns a new value for the field, which Set takes: empty, or the default.
func (f *field) fresh() protoreflect.Value {
	switch {
	case f.shape != single:
		return boxRef(f.newRef())
	case f.class == message:
		return protoreflect.ValueOfMessage(f.messageType().NewMessage())
	}
	return f.unset()
}

// element holds the values of one class as T.
type element[T any] interface {
	// box returns a value as a protoreflect.Value.
	box(f *field, v T) protoreflect.Value
	// unbox is the reverse of box. It panics if v is of another type.
	unbox(f *field, v protoreflect.Value) T
	// fresh returns a new element of a list or map.
	fresh(f *field) T
	// copyOf returns a deep copy of a value.
	copyOf(k *maker, v T) T
	// of returns the value of a scalar.
	of(v scalar) T
	// scalar is the reverse of of.
	scalar(v T) scalar
	// write writes a value with its tag.
	write(e *encoder, f *field, v T) *wire.Error
	// valid reports whether a value may be written.
	valid(f *field, v T) bool
}

// scalar is one value of any class as it was read.
type scalar struct {
	number  uint64
	text    string
	blob    []byte
	message *Message
}

type (
	numbers  struct{}
	texts    struct{}
	blobs    struct{}
	messages struct{}
)

func (numbers) box(f *field, x uint64) protoreflect.Value   { return f.boxNumber(x) }
func (numbers) unbox(f *field, v protoreflect.Value) uint64 { return f.unboxNumber(v) }
func (numbers) fresh(f *field) uint64                       { return f.initial }
func (numbers) copyOf(_ *maker, x uint64) uint64            { return x }
func (numbers) of(v scalar) uint64                          { return v.number }
func (numbers) scalar(x uint64) scalar                      { return scalar{number: x} }
func (numbers) valid(*field, uint64) bool                   { return true }
func (numbers) write(e *encoder, f *field, x uint64) *wire.Error {
	e.NumberField(f.tag, f.wire, x)
	return nil
}

func (texts) box(_ *field, s string) protoreflect.Value   { return protoreflect.ValueOfString(s) }
func (texts) unbox(f *field, v protoreflect.Value) string { return f.unboxText(v) }
func (texts) fresh(*field) string                         { return "" }
func (texts) copyOf(_ *maker, s string) string            { return s }
func (texts) of(v scalar) string                          { return v.text }
func (texts) scalar(s string) scalar                      { return scalar{text: s} }
func (texts) valid(f *field, s string) bool               { return !f.utf8 || utf8.ValidString(s) }
func (texts) write(e *encoder, f *field, s string) *wire.Error {
	e.TextField(f.tag, s)
	return nil
}

func (blobs) box(_ *field, b []byte) protoreflect.Value   { return protoreflect.ValueOfBytes(b) }
func (blobs) unbox(_ *field, v protoreflect.Value) []byte { return v.Bytes() }
func (blobs) fresh(*field) []byte                         { return nil }
func (blobs) copyOf(_ *maker, b []byte) []byte            { return append([]byte{}, b...) }
func (blobs) of(v scalar) []byte                          { return v.blob }
func (blobs) scalar(b []byte) scalar                      { return scalar{blob: b} }
func (blobs) valid(*field, []byte) bool                   { return true }
func (blobs) write(e *encoder, f *field, b []byte) *wire.Error {
	e.Blob(b)
	e.Varint(f.tag)
	return nil
}

func (messages) box(_ *field, m *Message) protoreflect.Value        { return protoreflect.ValueOfMessage(m) }
func (messages) unbox(f *field, v protoreflect.Value) *Message      { return f.unboxMessage(v) }
func (messages) fresh(f *field) *Message                            { return f.messageType().NewMessage() }
func (messages) copyOf(k *maker, m *Message) *Message               { return k.clone(m) }
func (messages) of(v scalar) *Message                               { return v.message }
func (messages) scalar(m *Message) scalar                           { return scalar{message: m} }
func (messages) valid(*field, *Message) bool                        { return true }
func (messages) write(e *encoder, f *field, m *Message) *wire.Error { return e.nested(f, m) }
