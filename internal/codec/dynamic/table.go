package dynamic

import (
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// table is the value of a map field: the entries in the order of their insertion.
// Most maps are small, so few entries are searched one by one, and only large
// tables have an index.
type table[K comparable, V any, KE element[K], VE element[V]] struct {
	f         *field
	entries   []entry[K, V]
	index     map[K]int // of the entries; nil while they are few
	unchecked bool      // it was given a string that is not UTF-8
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

// maxScan is how many entries a table has without an index.
const maxScan = 8

// mapping is a table of any types.
type mapping interface {
	growing
	protoreflect.Map
	put(key, value scalar)
	reserve(n int)
	encode(e *encoder) *wire.Error
	of() *field
	eachMessage(visit func(key scalar, m *Message))
}

// newTable returns an empty table for the field.
func (f *field) newTable() mapping {
	if f.key.class == text {
		return newTable[string, texts](f)
	}
	return newTable[uint64, numbers](f)
}

func newTable[K comparable, KE element[K]](f *field) mapping {
	switch f.value.class {
	case number:
		return &table[K, uint64, KE, numbers]{f: f}
	case text:
		return &table[K, string, KE, texts]{f: f}
	case blob:
		return &table[K, []byte, KE, blobs]{f: f}
	}
	return &table[K, *Message, KE, messages]{f: f}
}

func (t *table[K, V, KE, VE]) of() *field    { return t.f }
func (t *table[K, V, KE, VE]) Len() int      { return len(t.entries) }
func (t *table[K, V, KE, VE]) IsValid() bool { return true }

// find returns the position of a key, or -1. It changes nothing, so that readers
// may share the table.
func (t *table[K, V, KE, VE]) find(key K) int {
	if t.index != nil {
		if i, ok := t.index[key]; ok {
			return i
		}
		return -1
	}
	for i := range t.entries {
		if t.entries[i].key == key {
			return i
		}
	}
	return -1
}

func (t *table[K, V, KE, VE]) store(key K, value V) {
	if i := t.find(key); i >= 0 {
		t.entries[i].value = value
		return
	}
	t.entries = append(t.entries, entry[K, V]{key, value})
	switch n := len(t.entries); {
	case t.index != nil:
		t.index[key] = n - 1
	case n > maxScan:
		t.index = make(map[K]int, cap(t.entries))
		for i := range t.entries {
			t.index[t.entries[i].key] = i
		}
	}
}

func (t *table[K, V, KE, VE]) put(key, value scalar) {
	var ke KE
	var ve VE
	t.store(ke.of(key), ve.of(value))
}

// reserve makes room for n entries in an empty table.
func (t *table[K, V, KE, VE]) reserve(n int) { t.entries = make([]entry[K, V], 0, n) }

func (t *table[K, V, KE, VE]) key(k protoreflect.MapKey) K {
	var ke KE
	return ke.unbox(t.f.key, k.Value())
}

func (t *table[K, V, KE, VE]) Has(k protoreflect.MapKey) bool { return t.find(t.key(k)) >= 0 }

func (t *table[K, V, KE, VE]) Get(k protoreflect.MapKey) protoreflect.Value {
	var ve VE
	i := t.find(t.key(k))
	if i < 0 {
		return protoreflect.Value{}
	}
	return ve.box(t.f.value, t.entries[i].value)
}

func (t *table[K, V, KE, VE]) Set(k protoreflect.MapKey, v protoreflect.Value) {
	var ve VE
	t.unchecked = t.unchecked || t.f.key.isInvalid(k.Value()) || t.f.value.isInvalid(v)
	t.store(t.key(k), ve.unbox(t.f.value, v))
}

// Clear removes an entry; the last one takes its place.
func (t *table[K, V, KE, VE]) Clear(k protoreflect.MapKey) {
	key := t.key(k)
	i := t.find(key)
	if i < 0 {
		return
	}
	last := len(t.entries) - 1
	t.entries[i] = t.entries[last]
	t.entries[last] = entry[K, V]{}
	t.entries = t.entries[:last]
	if t.index != nil {
		if i < last {
			t.index[t.entries[i].key] = i
		}
		delete(t.index, key)
	}
}

func (t *table[K, V, KE, VE]) Mutable(k protoreflect.MapKey) protoreflect.Value {
	if t.f.value.class != message {
		panic("dynamic: the values of " + string(t.f.fd.FullName()) + " are not messages")
	}
	if v := t.Get(k); v.IsValid() {
		return v
	}
	v := t.NewValue()
	t.Set(k, v)
	return v
}

func (t *table[K, V, KE, VE]) NewValue() protoreflect.Value {
	var ve VE
	return ve.box(t.f.value, ve.fresh(t.f.value))
}

// Range goes from the last entry to the first, so that visit may clear the current
// one.
func (t *table[K, V, KE, VE]) Range(visit func(protoreflect.MapKey, protoreflect.Value) bool) {
	var ke KE
	var ve VE
	for i := len(t.entries) - 1; i >= 0; i-- {
		if i >= len(t.entries) {
			continue // visit has cleared others as well
		}
		ent := &t.entries[i]
		if !visit(ke.box(t.f.key, ent.key).MapKey(), ve.box(t.f.value, ent.value)) {
			return
		}
	}
}

// extend adds the entries of from, a table of the same type.
func (t *table[K, V, KE, VE]) extend(k *maker, from any) {
	var ve VE
	other := from.(*table[K, V, KE, VE])
	t.unchecked = t.unchecked || other.unchecked
	t.entries = slices.Grow(t.entries, len(other.entries))
	for i := range other.entries {
		t.store(other.entries[i].key, ve.copyOf(k, other.entries[i].value))
	}
}

// eachMessage visits the values, which are messages.
func (t *table[K, V, KE, VE]) eachMessage(visit func(key scalar, m *Message)) {
	var ke KE
	var ve VE
	for i := range t.entries {
		visit(ke.scalar(t.entries[i].key), ve.scalar(t.entries[i].value).message)
	}
}

// unboxMap returns given as a table of the field, or a copy if it belongs to another
// field or implementation. It panics if its entries are of other types.
func (f *field) unboxMap(given protoreflect.Map) any {
	if !given.IsValid() {
		panic("dynamic: " + string(f.fd.FullName()) + " cannot be set to a read-only map")
	}
	if t, ok := given.(mapping); ok && t.of() == f {
		return t
	}
	made := f.newTable()
	given.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
		made.Set(k, v)
		return true
	})
	return made
}

// emptyMap is the value of a map field without entries.
type emptyMap struct{ f *field }

func (emptyMap) Len() int                                                 { return 0 }
func (emptyMap) IsValid() bool                                            { return false }
func (emptyMap) Has(protoreflect.MapKey) bool                             { return false }
func (emptyMap) Get(protoreflect.MapKey) protoreflect.Value               { return protoreflect.Value{} }
func (emptyMap) Clear(protoreflect.MapKey)                                {}
func (emptyMap) Range(func(protoreflect.MapKey, protoreflect.Value) bool) {}
func (x emptyMap) NewValue() protoreflect.Value                           { return x.f.newTable().NewValue() }
func (x emptyMap) Set(protoreflect.MapKey, protoreflect.Value)            { panic(x.readOnly()) }
func (x emptyMap) Mutable(protoreflect.MapKey) protoreflect.Value         { panic(x.readOnly()) }
func (x emptyMap) readOnly() string {
	return "dynamic: the map " + string(x.f.fd.FullName()) + " is empty and read-only"
}
