package dynamic

import (
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/runtime/protoiface"
	"google.golang.org/protobuf/runtime/protoimpl"
)

// Message is a message of a type that is known at run time only. It implements
// proto.Message and protoreflect.Message.
//
// Set keeps lists, maps, messages and bytes of this package and field as they
// are, without copying, and copies all others.
type Message struct {
	typ   *Type
	page  *page // nil in the empty message that cannot be changed
	extra *extra

	// The start of the message's part of each slice of the page. The type has
	// their lengths.
	nums, strs, refs uint32
}

// extra is the part of a message that few messages need.
type extra struct {
	unknown    protoreflect.RawFields
	extensions []extension // by number
	unchecked  bool        // Set was given a string that is not UTF-8
}

var (
	_ protoreflect.ProtoMessage = (*Message)(nil)
	_ protoreflect.Message      = (*Message)(nil)
)

// ProtoReflect returns m.
func (m *Message) ProtoReflect() protoreflect.Message { return m }

// Interface returns m.
func (m *Message) Interface() protoreflect.ProtoMessage { return m }

// ProtoMethods implements protoreflect.Message for package proto.
func (m *Message) ProtoMethods() *protoiface.Methods { return &methods }

// Descriptor returns the descriptor of the message's type.
func (m *Message) Descriptor() protoreflect.MessageDescriptor { return m.typ.md }

// Type returns the message's type, a *[Type].
func (m *Message) Type() protoreflect.MessageType { return m.typ }

// New returns an empty message of the same type.
func (m *Message) New() protoreflect.Message { return m.typ.newUnshared() }

// IsValid reports whether the message can be changed: it is not what Get returns
// for a field that is not set.
func (m *Message) IsValid() bool { return m.page != nil }

// String returns the message in the text format.
func (m *Message) String() string { return protoimpl.X.MessageStringOf(m) }

// Reset makes the message empty.
func (m *Message) Reset() {
	m.mustBeValid()
	clear(m.page.nums[m.nums:][:m.typ.nums])
	clear(m.page.strs[m.strs:][:m.typ.strs])
	clear(m.page.refs[m.refs:][:m.typ.refs])
	m.extra = nil
}

func (m *Message) mustBeValid() {
	if m.page == nil {
		panic("dynamic: this " + string(m.typ.md.FullName()) + " is empty and read-only")
	}
}

// Has reports whether a field is set: a list or map if it is not empty, a number,
// string or bytes without presence if it is not zero.
func (m *Message) Has(fd protoreflect.FieldDescriptor) bool {
	f := m.typ.fieldOf(fd)
	if f == nil {
		x := m.extension(fd)
		return x != nil && x.isSet()
	}
	return m.has(f) && (f.shape == single || (*m.ref(f)).(container).Len() > 0)
}

// container is a list or a map.
type container interface{ Len() int }

// Get returns the value of a field. If it is not set, that is its default, or an
// empty value that cannot be changed.
func (m *Message) Get(fd protoreflect.FieldDescriptor) protoreflect.Value {
	f := m.typ.fieldOf(fd)
	if f == nil {
		return m.getExtension(fd)
	}
	if !m.has(f) {
		return f.unset()
	}
	return m.value(f)
}

// value returns the value of a field whose presence bit is set.
func (m *Message) value(f *field) protoreflect.Value {
	if f.shape != single {
		return f.filled(*m.ref(f))
	}
	switch f.class {
	case number:
		return f.boxNumber(*m.num(f))
	case text:
		return protoreflect.ValueOfString(*m.str(f))
	case blob:
		return protoreflect.ValueOfBytes(*(*m.ref(f)).(*[]byte))
	}
	return protoreflect.ValueOfMessage((*m.ref(f)).(*Message))
}

// Set stores a value. It panics if the value is not of the field's type, or a
// list, map or message that cannot be changed.
func (m *Message) Set(fd protoreflect.FieldDescriptor, v protoreflect.Value) {
	f := m.typ.fieldOf(fd)
	m.mustBeValid()
	switch {
	case f == nil:
		m.setExtension(fd, v)
	case f.shape != single:
		m.setRef(f, f.unboxRef(v))
	case f.class == number:
		m.setNumber(f, f.unboxNumber(v))
	case f.class == text:
		m.setText(f, f.unboxText(v))
		if f.isInvalid(v) {
			m.ensureExtra().unchecked = true
		}
	case f.class == blob:
		m.setBlob(f, v.Bytes())
	default:
		m.setRef(f, f.unboxMessage(v))
	}
}

// Clear makes a field unset.
func (m *Message) Clear(fd protoreflect.FieldDescriptor) {
	f := m.typ.fieldOf(fd)
	switch {
	case f == nil:
		m.clearExtension(fd)
	case m.has(f):
		f.unmark(m.numsOf())
		switch {
		case f.shape != single || f.class > text:
			*m.ref(f) = nil
		case f.class == text:
			*m.str(f) = ""
		}
	}
}

// Mutable returns the value of a list, map or message field, and creates it if it
// is not set. It panics for other fields.
func (m *Message) Mutable(fd protoreflect.FieldDescriptor) protoreflect.Value {
	f := m.typ.fieldOf(fd)
	m.mustBeValid()
	if f == nil {
		return m.mutableExtension(fd)
	}
	if f.shape == single && f.class != message {
		panic("dynamic: " + string(fd.FullName()) + " is neither a list, a map nor a message")
	}
	if !m.has(f) {
		if f.shape == single {
			m.setRef(f, f.messageType().NewMessage())
		} else {
			m.setRef(f, f.newRef())
		}
	}
	if f.shape == single {
		return protoreflect.ValueOfMessage((*m.ref(f)).(*Message))
	}
	return boxRef(*m.ref(f))
}

// NewField returns a new value for a field, empty or the default.
func (m *Message) NewField(fd protoreflect.FieldDescriptor) protoreflect.Value {
	f := m.typ.fieldOf(fd)
	if f == nil {
		return fd.(protoreflect.ExtensionTypeDescriptor).Type().New()
	}
	return f.fresh()
}

// WhichOneof returns the member of a oneof that is set, or nil.
func (m *Message) WhichOneof(od protoreflect.OneofDescriptor) protoreflect.FieldDescriptor {
	for i := range od.Fields().Len() {
		if fd := od.Fields().Get(i); m.Has(fd) {
			return fd
		}
	}
	return nil
}

// Range calls visit for each field that is set, in the order in which they are
// written, extensions last, until it returns false.
func (m *Message) Range(visit func(protoreflect.FieldDescriptor, protoreflect.Value) bool) {
	if m.page == nil {
		return
	}
	for i := range m.typ.fields {
		f := &m.typ.fields[i]
		if !m.has(f) || f.shape != single && (*m.ref(f)).(container).Len() == 0 {
			continue
		}
		if !visit(f.fd, m.value(f)) {
			return
		}
	}
	m.rangeExtensions(visit)
}

// ensureExtra returns the extra part of the message, and makes it if there is none.
func (m *Message) ensureExtra() *extra {
	if m.extra == nil {
		m.extra = new(extra)
	}
	return m.extra
}

// GetUnknown returns the unknown fields. They must not be changed.
func (m *Message) GetUnknown() protoreflect.RawFields {
	if m.extra == nil {
		return nil
	}
	return m.extra.unknown
}

// SetUnknown sets the unknown fields, which must be well-formed, without copying
// them.
func (m *Message) SetUnknown(raw protoreflect.RawFields) {
	m.mustBeValid()
	if m.extra != nil || len(raw) > 0 {
		m.ensureExtra().unknown = raw
	}
}
