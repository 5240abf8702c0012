package dynamic

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxProtoDepth bounds how deeply messages may be nested that a program builds, or
// that package proto reads, whose own limit it is. It is no more than a guard
// against messages that contain themselves.
const maxProtoDepth = 10_000

// merge merges src into dst, which is of the same type. The result is that of
// reading both, one after the other.
func (k *maker) merge(dst, src *Message) {
	if src.page == nil {
		return
	}
	k.enter(src)
	if dst.isEmpty() {
		k.copyFields(dst, src)
	} else {
		k.mergeFields(dst, src)
	}
	if src.extra != nil {
		k.mergeExtra(dst, src.extra)
	}
	k.depth--
}

func (k *maker) enter(m *Message) {
	if k.depth++; k.depth > maxProtoDepth {
		panic("dynamic: this " + string(m.typ.md.FullName()) + " is nested too deeply, or contains itself")
	}
}

// clone returns a deep copy of m.
func (k *maker) clone(m *Message) *Message {
	c := k.single(m.typ)
	k.merge(c, m)
	return c
}

// isEmpty reports whether nothing is set.
func (m *Message) isEmpty() bool {
	for _, w := range m.marks() {
		if w != 0 {
			return false
		}
	}
	return m.extra == nil
}

// copyFields copies the fields of src into dst, which is empty.
func (k *maker) copyFields(dst, src *Message) {
	t := src.typ
	copy(dst.page.nums[dst.nums:][:t.nums], src.page.nums[src.nums:])
	copy(dst.page.strs[dst.strs:][:t.strs], src.page.strs[src.strs:])
	for i := range src.typ.fields {
		if f := &src.typ.fields[i]; f.isRef() && src.has(f) {
			*dst.ref(f) = k.copyRef(f, *src.ref(f))
		}
	}
}

func (k *maker) mergeFields(dst, src *Message) {
	for i := range src.typ.fields {
		f := &src.typ.fields[i]
		switch {
		case !src.has(f):
		case !f.isRef() && f.class == number:
			dst.setNumber(f, *src.num(f))
		case !f.isRef():
			dst.setText(f, *src.str(f))
		case !dst.has(f):
			dst.setRef(f, k.copyRef(f, *src.ref(f)))
		default:
			k.mergeRef(dst, f, *src.ref(f))
		}
	}
}

// isRef reports whether the field is stored among the refs.
func (f *field) isRef() bool { return f.shape != single || f.class > text }

// mergeRef merges the value of a field into that of dst.
func (k *maker) mergeRef(dst *Message, f *field, ref any) {
	switch v := ref.(type) {
	case *[]byte:
		*dst.ref(f) = k.copyRef(f, ref)
	case *Message:
		k.mergeMessages((*dst.ref(f)).(*Message), v)
	default:
		(*dst.ref(f)).(growing).extend(k, ref)
	}
}

// mergeMessages merges messages whose types may be of different Types.
func (k *maker) mergeMessages(dst, src *Message) {
	if dst.typ == src.typ {
		k.merge(dst, src)
	} else {
		proto.Merge(dst, src)
	}
}

// copyRef returns a copy of the value of a field.
func (k *maker) copyRef(f *field, ref any) any {
	switch v := ref.(type) {
	case *[]byte:
		b := append([]byte{}, *v...)
		return &b
	case *Message:
		return k.clone(v)
	case *textList:
		l := k.lists.part(k)
		*l = textList{f, k.items.part(k, len(v.v), strsBlock), v.unchecked}
		copy(l.v, v.v)
		return l
	case *messageList:
		l := &messageList{f: f, v: make([]*Message, 0, len(v.v))}
		for _, m := range v.v {
			if m.typ == f.messageType() {
				k.merge(next(l), m)
			} else {
				l.v = append(l.v, k.clone(m))
			}
		}
		return l
	case *textTable:
		if v.index == nil {
			t := k.tables.part(k)
			*t = textTable{f: f, entries: k.pairs.part(k, len(v.entries), strsBlock), unchecked: v.unchecked}
			copy(t.entries, v.entries)
			return t
		}
	}
	made := f.newRef()
	made.extend(k, ref)
	return made
}

func (k *maker) mergeExtra(dst *Message, src *extra) {
	e := dst.ensureExtra()
	e.unchecked = e.unchecked || src.unchecked
	if len(src.unknown) > 0 {
		e.unknown = append(e.unknown[:len(e.unknown):len(e.unknown)], src.unknown...)
	}
	for i := range src.extensions {
		x := &src.extensions[i]
		old := dst.extension(x.xd)
		if old == nil {
			dst.putExtension(x.xd, x.xd.Type().New())
			old = dst.extension(x.xd)
		}
		old.value = k.mergeValue(x.xd, old.value, x.value)
	}
}

// mergeValue merges the value of an extension into an older one.
func (k *maker) mergeValue(xd protoreflect.ExtensionTypeDescriptor, old, v protoreflect.Value) protoreflect.Value {
	if xd.IsList() {
		for i := range v.List().Len() {
			old.List().Append(k.mergeElement(xd, old.List().NewElement(), v.List().Get(i)))
		}
		return old
	}
	return k.mergeElement(xd, old, v)
}

func (k *maker) mergeElement(xd protoreflect.ExtensionTypeDescriptor, old, v protoreflect.Value) protoreflect.Value {
	switch {
	case xd.Message() != nil:
		dst, mine := asMessage(old.Message())
		src, ours := asMessage(v.Message())
		if mine && ours {
			k.mergeMessages(dst, src)
		} else {
			proto.Merge(old.Message().Interface(), v.Message().Interface())
		}
		return old
	case xd.Kind() == protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(append([]byte{}, v.Bytes()...))
	}
	return v
}
