package structs

import (
	"fmt"
	"reflect"
	"unicode/utf8"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// entry is scratch memory for one entry of a map: a struct with the key and the
// value, which the plan of the entry message reads and writes.
type entry struct {
	mem   unsafe.Pointer
	whole reflect.Value // the struct
	key   reflect.Value // its fields
	value reflect.Value
	iter  reflect.MapIter
	busy  bool
}

func newEntry(t reflect.Type) *entry {
	whole := reflect.New(t)
	v := whole.Elem()
	return &entry{mem: whole.UnsafePointer(), whole: v, key: v.Field(0), value: v.Field(1)}
}

// take returns the scratch entry of a map field, or a new one if that is in use,
// as in a map that is nested in itself.
func take(entries []*entry, f *field) *entry {
	ent := entries[f.scratch]
	if ent == nil || ent.busy {
		ent = newEntry(f.sub.typ)
		entries[f.scratch] = ent
	}
	ent.busy = true
	return ent
}

func (ent *entry) label() string {
	if ent.key.Kind() == reflect.String {
		return "[" + wire.Label(ent.key.String()) + "]"
	}
	return fmt.Sprintf("[%v]", ent.key)
}

// mapOps puts entries into maps of one Go type and takes them out. The entry
// is left zero, to keep nothing alive.
type mapOps interface {
	reset(ent *entry)
	put(m unsafe.Pointer, ent *entry, hint int)
	encode(e *encoder, f *field, m unsafe.Pointer, ent *entry) *Error
}

// maxMapHint bounds the memory that a run of equal keys can claim in advance.
const maxMapHint = 256

// decodeMap reads one entry of a map.
func decodeMap(d *decoder, f *field, p unsafe.Pointer, b []byte) *Error {
	hint := min(d.hint, maxMapHint)
	ent := take(d.entries, f)
	if f.sub.inits != nil {
		f.sub.init(ent.mem)
	}
	d.rejected = false
	if err := d.entry(f.sub, ent.mem, b); err != nil {
		err.Path = wire.Join(ent.label(), err.Path)
		return err
	}
	if d.rejected {
		d.rejected = false
		f.maps.reset(ent)
		ent.busy = false
		return errUnknown
	}
	if value := &f.sub.fields[1]; value.sub != nil {
		d.fillValue(value, unsafe.Add(ent.mem, value.off))
	}
	f.maps.put(p, ent, hint)
	ent.busy = false
	return nil
}

// entry reads an entry as message does, but expects what every encoder writes:
// the key, then the value, and nothing else.
func (d *decoder) entry(pl *plan, p unsafe.Pointer, b []byte) *Error {
	key := &pl.fields[0]
	if len(b) < 2 || uint64(b[0]) != key.tag || key.wire != protowire.BytesType || pl.seenAll != 0 {
		return d.sub(pl, p, b)
	}
	n, i := wire.Length(b, 1)
	if i <= 0 {
		return wire.Malformed(i)
	}
	if err := key.decodeBytes(d, key, unsafe.Add(p, key.off), b[i:i+n:i+n]); err != nil {
		return err
	}
	return d.sub(pl, p, b[i+n:])
}

// fillValue sets a message value that is missing in the entry to an empty message.
func (d *decoder) fillValue(value *field, p unsafe.Pointer) {
	if value.pointer {
		q := (*unsafe.Pointer)(p)
		if *q == nil {
			*q = d.allocate(value.sub, 0)
		}
		p = *q
	}
	if value.nilable {
		value.sub.makeEmpty(p)
	}
}

// decodeClosedValue reads the value of a map entry that is a closed enum. A
// number that the enum does not have makes the whole entry an unknown field.
func decodeClosedValue(d *decoder, f *field, p unsafe.Pointer, x uint64) bool {
	d.rejected = !f.elemBits(d, f, p, x)
	return true
}

func encodeMap(e *encoder, f *field, p unsafe.Pointer) *Error {
	if isNil(p) {
		return nil
	}
	ent := take(e.entries, f)
	if err := f.maps.encode(e, f, p, ent); err != nil {
		return err
	}
	f.maps.reset(ent)
	ent.busy = false
	return nil
}

// entry writes one entry of a map.
func (e *encoder) entry(f *field, ent *entry) *Error {
	if e.depth <= 0 {
		return wire.NewUnencodable(wire.DetailDepth)
	}
	e.depth--
	key, value := &f.sub.fields[0], &f.sub.fields[1]
	p := unsafe.Add(ent.mem, value.off)
	before, missingBefore := e.Written(), len(e.missing)
	err := errNilValue(value, p)
	if err == nil {
		err = value.encode(e, value, p)
	}
	if err == nil {
		err = key.encode(e, key, ent.mem)
	}
	if err != nil {
		err.Path = wire.Join(ent.label(), err.Path)
		return err
	}
	for i := missingBefore; i < len(e.missing); i++ {
		e.missing[i] = wire.Join(f.name+ent.label(), e.missing[i])
	}
	e.PrefixField(f.tag, before)
	e.depth++
	return nil
}

func errNilValue(value *field, p unsafe.Pointer) *Error {
	if value.pointer && isNil(p) {
		return wire.NewUnencodable("the value is nil")
	}
	return nil
}

// pair is laid out as the struct that reflect makes of the two types.
type pair[K comparable, V any] struct {
	Key   K
	Value V
}

// typedMap is for a known map type, so it needs no reflection.
type typedMap[K comparable, V any] struct{}

func (typedMap[K, V]) put(m unsafe.Pointer, ent *entry, hint int) {
	to, from := (*map[K]V)(m), (*pair[K, V])(ent.mem)
	if *to == nil {
		*to = make(map[K]V, hint)
	}
	(*to)[from.Key] = from.Value
	*from = pair[K, V]{}
}

func (typedMap[K, V]) reset(ent *entry) { *(*pair[K, V])(ent.mem) = pair[K, V]{} }

func (typedMap[K, V]) encode(e *encoder, f *field, m unsafe.Pointer, ent *entry) *Error {
	to := (*pair[K, V])(ent.mem)
	for k, v := range *(*map[K]V)(m) {
		to.Key, to.Value = k, v
		if err := e.entry(f, ent); err != nil {
			return err
		}
	}
	return nil
}

// textMap is a map of strings, the most frequent one, written without entries.
type textMap struct{ typedMap[string, string] }

func (t textMap) encode(e *encoder, f *field, m unsafe.Pointer, ent *entry) *Error {
	key, value := &f.sub.fields[0], &f.sub.fields[1]
	if value.enum != nil || e.depth <= 0 {
		return t.typedMap.encode(e, f, m, ent)
	}
	to := (*pair[string, string])(ent.mem)
	for k, v := range *(*map[string]string)(m) {
		if key.utf8 && !utf8.ValidString(k) || value.utf8 && !utf8.ValidString(v) {
			to.Key, to.Value = k, v
			return e.entry(f, ent) // says what is wrong
		}
		before := e.Written()
		e.TextField(value.tag, v)
		e.TextField(key.tag, k)
		e.PrefixField(f.tag, before)
	}
	return nil
}

// anyMap takes maps of every type through reflection.
type anyMap struct{ typ reflect.Type }

func (a anyMap) put(m unsafe.Pointer, ent *entry, hint int) {
	v := reflect.NewAt(a.typ, m).Elem()
	if v.IsNil() {
		v.Set(reflect.MakeMapWithSize(a.typ, hint))
	}
	v.SetMapIndex(ent.key, ent.value)
	ent.whole.SetZero()
}

func (anyMap) reset(ent *entry) { ent.whole.SetZero() }

func (a anyMap) encode(e *encoder, f *field, m unsafe.Pointer, ent *entry) *Error {
	ent.iter.Reset(reflect.NewAt(a.typ, m).Elem())
	for ent.iter.Next() {
		ent.key.SetIterKey(&ent.iter)
		ent.value.SetIterValue(&ent.iter)
		if err := e.entry(f, ent); err != nil {
			return err
		}
	}
	ent.iter.Reset(reflect.Value{})
	return nil
}

// typedMaps are the maps that messages have most often.
var typedMaps = map[reflect.Type]mapOps{
	reflect.TypeFor[map[string]string]():  textMap{},
	reflect.TypeFor[map[string]bool]():    typedMap[string, bool]{},
	reflect.TypeFor[map[string]int32]():   typedMap[string, int32]{},
	reflect.TypeFor[map[string]int64]():   typedMap[string, int64]{},
	reflect.TypeFor[map[string]int]():     typedMap[string, int]{},
	reflect.TypeFor[map[string]uint32]():  typedMap[string, uint32]{},
	reflect.TypeFor[map[string]uint64]():  typedMap[string, uint64]{},
	reflect.TypeFor[map[string]float32](): typedMap[string, float32]{},
	reflect.TypeFor[map[string]float64](): typedMap[string, float64]{},
	reflect.TypeFor[map[string][]byte]():  typedMap[string, []byte]{},
	reflect.TypeFor[map[string]any]():     typedMap[string, any]{},
	reflect.TypeFor[map[int32]string]():   typedMap[int32, string]{},
	reflect.TypeFor[map[int32]int32]():    typedMap[int32, int32]{},
	reflect.TypeFor[map[int64]string]():   typedMap[int64, string]{},
	reflect.TypeFor[map[int64]int64]():    typedMap[int64, int64]{},
	reflect.TypeFor[map[uint32]string]():  typedMap[uint32, string]{},
	reflect.TypeFor[map[uint64]string]():  typedMap[uint64, string]{},
}

func opsOf(t reflect.Type) mapOps {
	if ops, ok := typedMaps[t]; ok {
		return ops
	}
	return anyMap{t}
}
