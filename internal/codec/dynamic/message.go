package dynamic

import (
	"slices"

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
	typ *Type

	// The slices are as long as the type says. The presence bit of a field says
	// whether its slot counts; what is in the slot otherwise has no meaning. All
	// are nil in the empty message that cannot be changed.
	nums []uint64
	strs []string
	refs []any // *Message, *[]byte, *list or *table, by field

	extra *extra
}

// extra is what few messages have.
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
func (m *Message) New() protoreflect.Message { return m.typ.alone() }

// IsValid reports whether the message can be changed: it is not what Get returns
// for a field that is not set.
func (m *Message) IsValid() bool { return m.nums != nil }

// String returns the message in the text format.
func (m *Message) String() string { return protoimpl.X.MessageStringOf(m) }

// Reset makes the message empty.
func (m *Message) Reset() {
	m.mustBeValid()
	clear(m.nums)
	clear(m.strs)
	clear(m.refs)
	m.extra = nil
}

func (m *Message) mustBeValid() {
	if m.nums == nil {
		panic("dynamic: this " + string(m.typ.md.FullName()) + " is empty and read-only")
	}
}

// has reports whether the presence bit of f is set.
func (m *Message) has(f *field) bool {
	w := f.bit >> 6
	return w < len(m.nums) && m.nums[w]>>(f.bit&63)&1 != 0
}

// mark sets the presence bit of f and clears those of the other members of its
// oneof.
func (m *Message) mark(f *field) {
	if f.oneof.end != 0 {
		m.clearBits(f.oneof)
	}
	m.nums[f.bit>>6] |= 1 << (f.bit & 63)
}

func (m *Message) unmark(f *field) { m.nums[f.bit>>6] &^= 1 << (f.bit & 63) }

func (m *Message) clearBits(b bitRange) {
	for i := b.first; i < b.end; i++ {
		m.nums[i>>6] &^= 1 << (i & 63)
	}
}

// setNumber stores a number as it is held.
func (m *Message) setNumber(f *field, x uint64) {
	m.nums[f.slot] = x
	if x == 0 && f.implicit {
		m.unmark(f)
	} else {
		m.mark(f)
	}
}

func (m *Message) setText(f *field, s string) {
	m.strs[f.slot] = s
	if s == "" && f.implicit {
		m.unmark(f)
	} else {
		m.mark(f)
	}
}

func (m *Message) setBlob(f *field, b []byte) {
	m.refs[f.slot] = &b
	if len(b) == 0 && f.implicit {
		m.unmark(f)
	} else {
		m.mark(f)
	}
}

// setRef stores a list, a map or a message.
func (m *Message) setRef(f *field, ref any) {
	m.refs[f.slot] = ref
	m.mark(f)
}

// Has reports whether a field is set: a list or map if it is not empty, a number,
// string or bytes without presence if it is not zero.
func (m *Message) Has(fd protoreflect.FieldDescriptor) bool {
	f := m.typ.fieldOf(fd)
	if f == nil {
		x := m.extension(fd)
		return x != nil && x.isSet()
	}
	return m.has(f) && (f.shape == single || m.refs[f.slot].(container).Len() > 0)
}

// container is a list or a map.
type container interface{ Len() int }

// Get returns the value of a field: its default, or an empty value that cannot
// be changed, if it is not set.
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
	if f.shape == single {
		switch f.class {
		case number:
			return f.boxNumber(m.nums[f.slot])
		case text:
			return protoreflect.ValueOfString(m.strs[f.slot])
		case blob:
			return protoreflect.ValueOfBytes(*m.refs[f.slot].(*[]byte))
		}
		return protoreflect.ValueOfMessage(m.refs[f.slot].(*Message))
	}
	if m.refs[f.slot].(container).Len() == 0 {
		return f.empty
	}
	return boxRef(m.refs[f.slot])
}

// boxRef returns a list or map as reflection has it.
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
			return protoreflect.ValueOfBytes(slices.Clone(f.empty.Bytes())) // the descriptor's own must not be changed
		}
	}
	return f.empty
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
			m.more().unchecked = true
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
		m.unmark(f)
		switch {
		case f.shape != single || f.class > text:
			m.refs[f.slot] = nil
		case f.class == text:
			m.strs[f.slot] = ""
		}
	}
}

// Mutable returns the value of a list, map or message field, made if it is not
// there yet. It panics for other fields.
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
		return protoreflect.ValueOfMessage(m.refs[f.slot].(*Message))
	}
	return boxRef(m.refs[f.slot])
}

// NewField returns a value that Set takes for a field: empty, or the default.
func (m *Message) NewField(fd protoreflect.FieldDescriptor) protoreflect.Value {
	f := m.typ.fieldOf(fd)
	if f == nil {
		return fd.(protoreflect.ExtensionTypeDescriptor).Type().New()
	}
	return f.fresh()
}

func (f *field) fresh() protoreflect.Value {
	switch {
	case f.shape != single:
		return boxRef(f.newRef())
	case f.class == message:
		return protoreflect.ValueOfMessage(f.messageType().NewMessage())
	}
	return f.unset()
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
	if m.nums == nil {
		return
	}
	for i := range m.typ.fields {
		f := &m.typ.fields[i]
		if !m.has(f) || f.shape != single && m.refs[f.slot].(container).Len() == 0 {
			continue
		}
		if !visit(f.fd, m.value(f)) {
			return
		}
	}
	m.rangeExtensions(visit)
}

// more returns the part of a message that few have.
func (m *Message) more() *extra {
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
		m.more().unknown = raw
	}
}
