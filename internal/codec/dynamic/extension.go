package dynamic

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// ExtensionType is the type of an extension whose values are dynamic. It
// implements protoreflect.ExtensionType; its values have the Go types of
// protoreflect.Value.
type ExtensionType struct {
	f    field
	desc extensionDescriptor
}

// extensionDescriptor is a descriptor that knows its type.
type extensionDescriptor struct {
	protoreflect.ExtensionDescriptor
	typ *ExtensionType
}

func (d *extensionDescriptor) Type() protoreflect.ExtensionType { return d.typ }

func (d *extensionDescriptor) Descriptor() protoreflect.ExtensionDescriptor {
	return d.ExtensionDescriptor
}

func newExtensionType(ts *Types, xd protoreflect.ExtensionDescriptor) *ExtensionType {
	x := new(ExtensionType)
	x.f.init(ts, xd)
	x.desc = extensionDescriptor{xd, x}
	return x
}

// TypeDescriptor returns the descriptor of the extension.
func (x *ExtensionType) TypeDescriptor() protoreflect.ExtensionTypeDescriptor { return &x.desc }

// New returns a new value: empty, or the default.
func (x *ExtensionType) New() protoreflect.Value { return x.f.fresh() }

// Zero returns the value in a message that does not have the extension.
func (x *ExtensionType) Zero() protoreflect.Value { return x.f.unset() }

// ValueOf returns v, of a type that protoreflect.ValueOf takes, as a value of the
// extension. It panics if it is of another type.
func (x *ExtensionType) ValueOf(v any) protoreflect.Value { return x.take(protoreflect.ValueOf(v)) }

// InterfaceOf returns v.Interface(). It panics if v is not a value of the
// extension.
func (x *ExtensionType) InterfaceOf(v protoreflect.Value) any {
	if !x.isZero(v) {
		v = x.take(v)
	}
	return v.Interface()
}

// isZero reports whether v is the result of Zero for a list or message, a value of
// the extension that Set does not accept.
func (x *ExtensionType) isZero(v protoreflect.Value) bool {
	switch v := v.Interface().(type) {
	case emptyList:
		return v.f == &x.f
	case *Message:
		return !v.IsValid() && v.typ.md == x.f.fd.Message()
	}
	return false
}

// IsValidValue reports whether v is a value of the extension.
func (x *ExtensionType) IsValidValue(v protoreflect.Value) bool {
	return !panics(func() { x.InterfaceOf(v) })
}

// IsValidInterface reports whether v is a value of the extension.
func (x *ExtensionType) IsValidInterface(v any) bool {
	return !panics(func() { x.InterfaceOf(protoreflect.ValueOf(v)) })
}

// panics reports whether check panics.
func panics(check func()) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	check()
	return false
}

// take returns v as a value of this package. It panics if v is of another type.
func (x *ExtensionType) take(v protoreflect.Value) protoreflect.Value {
	f := &x.f
	switch {
	case f.shape != single:
		return boxRef(f.unboxRef(v))
	case f.class == number:
		f.unboxNumber(v)
	case f.class == text:
		f.unboxText(v)
	case f.class == blob:
		v.Bytes()
	default:
		return protoreflect.ValueOfMessage(f.unboxMessage(v))
	}
	return v
}

// extension is an extension that is set in a message. The value is of the kind that
// its type makes, of this package or another.
type extension struct {
	xd    protoreflect.ExtensionTypeDescriptor
	value protoreflect.Value
}

// isSet reports whether the extension counts as set: lists do if they are not
// empty.
func (x *extension) isSet() bool {
	switch {
	case x.xd.IsList():
		return x.value.List().Len() > 0
	case x.xd.IsMap():
		return x.value.Map().Len() > 0
	}
	return true
}

// findExtension returns the index of the extension with a number, or the index at
// which to insert it.
func (m *Message) findExtension(n protoreflect.FieldNumber) (int, bool) {
	if m.extra == nil {
		return 0, false
	}
	return slices.BinarySearchFunc(m.extra.extensions, n, func(x extension, n protoreflect.FieldNumber) int {
		return cmp.Compare(x.xd.Number(), n)
	})
}

// extension returns the extension that fd describes, or nil.
func (m *Message) extension(fd protoreflect.FieldDescriptor) *extension {
	i, ok := m.findExtension(fd.Number())
	if !ok || !sameExtension(m.extra.extensions[i].xd, fd) {
		return nil
	}
	return &m.extra.extensions[i]
}

// sameExtension reports whether two descriptors of extensions have the same
// values: they are the same one, or of dynamic types of the same one.
func sameExtension(x protoreflect.ExtensionTypeDescriptor, fd protoreflect.FieldDescriptor) bool {
	if protoreflect.FieldDescriptor(x) == fd {
		return true
	}
	a, ok := x.(*extensionDescriptor)
	b, same := fd.(*extensionDescriptor)
	return ok && same && a.ExtensionDescriptor == b.ExtensionDescriptor
}

func (m *Message) getExtension(fd protoreflect.FieldDescriptor) protoreflect.Value {
	if x := m.extension(fd); x != nil && x.isSet() {
		return x.value
	}
	return fd.(protoreflect.ExtensionTypeDescriptor).Type().Zero()
}

func (m *Message) setExtension(fd protoreflect.FieldDescriptor, v protoreflect.Value) {
	xd := fd.(protoreflect.ExtensionTypeDescriptor)
	if x, ok := xd.Type().(*ExtensionType); ok {
		v = x.take(v)
		if x.f.shape == single && x.f.isInvalid(v) {
			m.ensureExtra().unchecked = true
		}
	} else {
		checkForeign(xd, v)
	}
	m.putExtension(xd, v)
}

// checkForeign panics if v is not a value of an extension of another package.
func checkForeign(xd protoreflect.ExtensionTypeDescriptor, v protoreflect.Value) {
	valid := xd.Type().IsValidValue(v)
	switch {
	case !valid:
	case xd.IsList():
		valid = v.List().IsValid()
	case xd.IsMap():
		valid = v.Map().IsValid()
	case xd.Message() != nil:
		valid = v.Message().IsValid()
	}
	if !valid {
		panic("dynamic: the extension " + string(xd.FullName()) + " cannot be set to this value")
	}
}

func (m *Message) putExtension(xd protoreflect.ExtensionTypeDescriptor, v protoreflect.Value) {
	e := m.ensureExtra()
	i, ok := m.findExtension(xd.Number())
	if ok {
		e.extensions[i] = extension{xd, v}
		return
	}
	e.extensions = slices.Insert(e.extensions, i, extension{xd, v})
}

func (m *Message) clearExtension(fd protoreflect.FieldDescriptor) {
	if x := m.extension(fd); x != nil {
		i, _ := m.findExtension(fd.Number())
		m.extra.extensions = slices.Delete(m.extra.extensions, i, i+1)
	}
}

func (m *Message) mutableExtension(fd protoreflect.FieldDescriptor) protoreflect.Value {
	if fd.Message() == nil && !fd.IsList() {
		panic("dynamic: " + string(fd.FullName()) + " is neither a list nor a message")
	}
	if x := m.extension(fd); x != nil {
		return x.value
	}
	xd := fd.(protoreflect.ExtensionTypeDescriptor)
	v := xd.Type().New()
	m.putExtension(xd, v)
	return v
}

// rangeExtensions visits a copy of the list, as visit may clear the extension.
func (m *Message) rangeExtensions(visit func(protoreflect.FieldDescriptor, protoreflect.Value) bool) {
	if m.extra == nil {
		return
	}
	for _, x := range slices.Clone(m.extra.extensions) {
		if x.isSet() && !visit(x.xd, x.value) {
			return
		}
	}
}
