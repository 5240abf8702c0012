package dynamic

import (
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Types compiles descriptors to types. A type is compiled once, when it is first
// needed, and lives as long as its Types: keep one for each schema. The zero Types is
// ready for use.
type Types struct {
	messages   sync.Map // protoreflect.MessageDescriptor -> *Type
	extensions sync.Map // protoreflect.ExtensionDescriptor -> *ExtensionType
}

// Message returns the type of the messages that md describes, the same one for
// the same descriptor.
func (ts *Types) Message(md protoreflect.MessageDescriptor) *Type {
	if t, ok := ts.messages.Load(md); ok {
		return t.(*Type)
	}
	t, _ := ts.messages.LoadOrStore(md, compile(ts, md))
	return t.(*Type)
}

// Extension returns the type of the extension that xd describes, the same one
// for the same descriptor. Its values are dynamic.
func (ts *Types) Extension(xd protoreflect.ExtensionDescriptor) *ExtensionType {
	if x, ok := xd.(protoreflect.ExtensionTypeDescriptor); ok {
		xd = x.Descriptor()
	}
	if x, ok := ts.extensions.Load(xd); ok {
		return x.(*ExtensionType)
	}
	x, _ := ts.extensions.LoadOrStore(xd, newExtensionType(ts, xd))
	return x.(*ExtensionType)
}

// NewMessage returns an empty message of a type that it compiles for this message
// alone. To make more messages, keep a [Types].
func NewMessage(md protoreflect.MessageDescriptor) *Message {
	return new(Types).Message(md).NewMessage()
}

// Descriptor returns the descriptor of the type.
func (t *Type) Descriptor() protoreflect.MessageDescriptor { return t.md }

// NewMessage returns an empty message.
func (t *Type) NewMessage() *Message { return t.newUnshared() }

// New calls NewMessage. It implements protoreflect.MessageType.
func (t *Type) New() protoreflect.Message { return t.newUnshared() }

// Zero returns the empty message that cannot be changed.
func (t *Type) Zero() protoreflect.Message { return t.zero }

// Enum returns the type of the enum field with the index i, or nil.
func (t *Type) Enum(i int) protoreflect.EnumType {
	if ed := t.md.Fields().Get(i).Enum(); ed != nil {
		return EnumType(ed)
	}
	return nil
}

// Message returns the type of the message field with the index i, or nil.
func (t *Type) Message(i int) protoreflect.MessageType {
	if md := t.md.Fields().Get(i).Message(); md != nil {
		return t.types.Message(md)
	}
	return nil
}

var (
	_ protoreflect.MessageType       = (*Type)(nil)
	_ protoreflect.MessageFieldTypes = (*Type)(nil)
)

// EnumType returns the type of the enum that ed describes. Types of one
// descriptor are equal.
func EnumType(ed protoreflect.EnumDescriptor) protoreflect.EnumType { return enumType{ed} }

type enumType struct{ ed protoreflect.EnumDescriptor }

func (t enumType) New(n protoreflect.EnumNumber) protoreflect.Enum { return enum{t, n} }
func (t enumType) Descriptor() protoreflect.EnumDescriptor         { return t.ed }

type enum struct {
	typ    enumType
	number protoreflect.EnumNumber
}

func (e enum) Descriptor() protoreflect.EnumDescriptor { return e.typ.ed }
func (e enum) Type() protoreflect.EnumType             { return e.typ }
func (e enum) Number() protoreflect.EnumNumber         { return e.number }
