package dynamic

import (
	"cmp"
	"math/bits"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// encoder is the state of writing one message.
type encoder struct {
	wire.Writer
	depth         int  // how many more levels of messages may be entered
	deterministic bool // entries of maps are sorted
	partial       bool // a required field is not set
	foreign       bool // an extension of another implementation was written
}

// message writes the fields of m, the last one first.
func (e *encoder) message(m *Message) *wire.Error {
	if e.depth <= 0 {
		return wire.NewUnencodable(wire.DetailDepth)
	}
	e.depth--
	if m.extra != nil {
		if err := m.check(); err != nil {
			return err
		}
		e.Raw(m.extra.unknown)
	}
	t := m.typ
	marks := m.marks()
	for w := len(marks) - 1; w >= 0; w-- {
		for left := marks[w]; left != 0; {
			bit := 63 - bits.LeadingZeros64(left)
			left &^= 1 << bit
			f := &t.fields[w<<6+bit]
			if f.shape == single && f.class <= text {
				if f.class == number {
					e.NumberField(f.tag, f.wire, *m.num(f))
				} else {
					e.TextField(f.tag, *m.str(f))
				}
				continue
			}
			if err := e.ref(f, *m.ref(f)); err != nil {
				return err.In(f.name())
			}
		}
	}
	if m.extra != nil {
		if err := e.extensions(m); err != nil {
			return err
		}
	}
	e.partial = e.partial || t.required != nil && !m.hasRequired()
	e.depth++
	return nil
}

// check looks for strings that are not UTF-8 where Set was given one.
func (m *Message) check() *wire.Error {
	if !m.extra.unchecked {
		return nil
	}
	for i := range m.typ.fields {
		f := &m.typ.fields[i]
		if f.utf8 && f.shape == single && m.has(f) && !utf8.ValidString(*m.str(f)) {
			return wire.NewUnencodable(wire.DetailUTF8).In(f.name())
		}
	}
	for _, x := range m.extra.extensions {
		if wire.EnforcesUTF8(x.xd) && !x.xd.IsList() && !utf8.ValidString(x.value.String()) {
			return wire.NewUnencodable(wire.DetailUTF8).In("[" + string(x.xd.FullName()) + "]")
		}
	}
	return nil
}

// ref writes a field that is stored among the refs, with its tags.
func (e *encoder) ref(f *field, ref any) *wire.Error {
	switch v := ref.(type) {
	case *Message:
		return e.nested(f, v)
	case *[]byte:
		return blobs{}.write(e, f, *v)
	case *numberList:
		e.numbers(f, v.v)
	case *textList:
		if i := v.check(); i >= 0 {
			return wire.NewUnencodable(wire.DetailUTF8).Elem(i)
		}
		for i := len(v.v) - 1; i >= 0; i-- {
			e.TextField(f.tag, v.v[i])
		}
	case *messageList:
		for i := len(v.v) - 1; i >= 0; i-- {
			if err := e.nested(f, v.v[i]); err != nil {
				return err.Elem(i)
			}
		}
	case *blobList:
		for i := len(v.v) - 1; i >= 0; i-- {
			e.Blob(v.v[i])
			e.Varint(f.tag)
		}
	case mapping:
		return v.encode(e)
	}
	return nil
}

// nested writes a message with its tag, and its length or end-group tag.
func (e *encoder) nested(f *field, m *Message) *wire.Error {
	if f.group {
		e.Varint(f.tag + 1) // the end-group wire type follows start-group
	}
	before := e.Written()
	if err := e.message(m); err != nil {
		return err
	}
	if f.group {
		e.Varint(f.tag)
	} else {
		e.PrefixField(f.tag, before)
	}
	return nil
}

func (e *encoder) numbers(f *field, v []uint64) {
	if !f.packed {
		for i := len(v) - 1; i >= 0; i-- {
			e.NumberField(f.tag, f.wire, v[i])
		}
		return
	}
	if len(v) == 0 {
		return
	}
	before := e.Written()
	for i := len(v) - 1; i >= 0; i-- {
		e.Number(f.wire, v[i])
	}
	e.PrefixField(f.tag, before)
}

// encode writes the entries of a map.
func (t *table[K, V, KE, VE]) encode(e *encoder) *wire.Error {
	if e.depth <= 0 {
		return wire.NewUnencodable(wire.DetailDepth)
	}
	e.depth--
	entries := t.entries
	if e.deterministic {
		entries = t.sorted()
	}
	for i := len(entries) - 1; i >= 0; i-- {
		if err := t.encodeEntry(e, &entries[i]); err != nil {
			var ke KE
			return err.In("[" + t.f.key.label(ke.scalar(entries[i].key)) + "]")
		}
	}
	e.depth++
	return nil
}

func (t *table[K, V, KE, VE]) encodeEntry(e *encoder, ent *entry[K, V]) *wire.Error {
	var ke KE
	var ve VE
	key, value := t.f.key, t.f.value
	if t.unchecked && (!ke.valid(key, ent.key) || !ve.valid(value, ent.value)) {
		return wire.NewUnencodable(wire.DetailUTF8)
	}
	before := e.Written()
	if err := ve.write(e, value, ent.value); err != nil {
		return err
	}
	_ = ke.write(e, key, ent.key) // only messages fail
	e.PrefixField(t.f.tag, before)
	return nil
}

// sorted returns the entries in the order of their keys.
func (t *table[K, V, KE, VE]) sorted() []entry[K, V] {
	entries := slices.Clone(t.entries)
	slices.SortFunc(entries, func(a, b entry[K, V]) int {
		var ke KE
		return t.f.key.compare(ke.scalar(a.key), ke.scalar(b.key))
	})
	return entries
}

// compare orders the keys of a map.
func (f *field) compare(a, b scalar) int {
	switch f.kind {
	case protoreflect.StringKind:
		return cmp.Compare(a.text, b.text)
	case protoreflect.Int32Kind, protoreflect.Int64Kind, protoreflect.Sfixed64Kind:
		return cmp.Compare(int64(a.number), int64(b.number))
	case protoreflect.Sfixed32Kind:
		return cmp.Compare(int32(a.number), int32(b.number))
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return cmp.Compare(protowire.DecodeZigZag(a.number), protowire.DecodeZigZag(b.number))
	}
	return cmp.Compare(a.number, b.number)
}

// extensions writes the extensions, the last one first.
func (e *encoder) extensions(m *Message) *wire.Error {
	for i := len(m.extra.extensions) - 1; i >= 0; i-- {
		x := &m.extra.extensions[i]
		var err *wire.Error
		if t, ok := x.xd.Type().(*ExtensionType); ok {
			err = e.extension(&t.f, x.value)
		} else {
			err = e.foreignExtension(m, x)
		}
		if err != nil {
			return err.In("[" + string(x.xd.FullName()) + "]")
		}
	}
	return nil
}

func (e *encoder) extension(f *field, v protoreflect.Value) *wire.Error {
	switch {
	case f.shape == repeated:
		return e.ref(f, v.List())
	case f.class == message:
		return e.ref(f, v.Message())
	case f.class == number:
		e.NumberField(f.tag, f.wire, f.unboxNumber(v))
	case f.class == text:
		e.TextField(f.tag, v.String())
	default:
		return blobs{}.write(e, f, v.Bytes())
	}
	return nil
}

// foreignExtension writes an extension whose values are of another package: as the
// only field of an otherwise empty message.
func (e *encoder) foreignExtension(m *Message, x *extension) *wire.Error {
	e.foreign = true
	alone := singleExtension{m.typ.zero, x}
	b, err := proto.MarshalOptions{AllowPartial: true, Deterministic: e.deterministic}.Marshal(alone)
	if err != nil {
		return wire.NewUnencodable("%v", err)
	}
	e.Raw(b)
	return nil
}
