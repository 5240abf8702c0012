package transcode

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// field writes a field with its records, or as the options require if it has
// none.
func (e *encoder) field(f *field, first int) *Error {
	if first == 0 {
		return e.absent(f)
	}
	before := len(e.out)
	key := f.jsonKey
	if e.opts.ProtoNames {
		key = f.protoKey
	}
	e.key(key)
	switch {
	case f.list || f.keyField != nil:
		count, err := e.elements(f, first)
		if count == 0 && err == nil { // all are unknown fields, or packed in an empty list
			e.out = e.out[:before]
			return e.absent(f)
		}
		return err
	case f.message != nil:
		return e.message(f.message.get(), first)
	}
	r := e.records[first]
	if !f.presence && e.isZero(f, r) {
		e.out = e.out[:before]
		return e.absent(f)
	}
	return e.scalar(f, r)
}

// absent writes a field that is not set, if the options require it.
func (e *encoder) absent(f *field) *Error {
	if f.required && !e.partial {
		return &Error{Problem: "the required field is not set"}
	}
	if !e.opts.EmitDefaults && !e.opts.EmitUnpopulated || f.oneof >= 0 || f.index < 0 {
		return nil
	}
	if f.presence && !e.opts.EmitUnpopulated {
		return nil
	}
	key := f.jsonKey
	if e.opts.ProtoNames {
		key = f.protoKey
	}
	e.key(key)
	switch {
	case f.presence:
		e.out = append(e.out, "null"...)
	case f.keyField != nil:
		e.out = append(e.out, "{}"...)
	case f.list:
		e.out = append(e.out, "[]"...)
	default:
		e.number(f, 0)
	}
	return nil
}

// isZero reports whether a scalar is its type's zero.
func (e *encoder) isZero(f *field, r record) bool {
	if r.typ == protowire.BytesType {
		return r.start == r.end
	}
	return e.bits(f, r.start) == 0
}

// bits returns the number at a position, converted to the kind of f.
func (e *encoder) bits(f *field, i int) uint64 {
	var x uint64
	switch wire.TypeOf(f.kind) {
	case protowire.Fixed32Type:
		x = uint64(wire.Uint32(e.in[i:]))
	case protowire.Fixed64Type:
		x = wire.Uint64(e.in[i:])
	default:
		x, _ = wire.Varint(e.in, i)
	}
	switch f.kind {
	case protoreflect.BoolKind:
		return min(x, 1)
	case protoreflect.Int32Kind, protoreflect.EnumKind, protoreflect.Sfixed32Kind:
		return uint64(int64(int32(x)))
	case protoreflect.Uint32Kind:
		return uint64(uint32(x))
	case protoreflect.Sint32Kind:
		return uint64(protowire.DecodeZigZag(x & math.MaxUint32))
	case protoreflect.Sint64Kind:
		return uint64(protowire.DecodeZigZag(x))
	}
	return x
}

// scalar writes a value that is not packed.
func (e *encoder) scalar(f *field, r record) *Error {
	switch f.kind {
	case protoreflect.StringKind:
		var ok bool
		if e.out, ok = appendString(e.out, e.in[r.start:r.end]); !ok {
			return &Error{Problem: "the string is not valid UTF-8"}
		}
		return nil
	case protoreflect.BytesKind:
		e.out = append(e.out, '"')
		e.out = base64.StdEncoding.AppendEncode(e.out, e.in[r.start:r.end])
		e.out = append(e.out, '"')
		return nil
	}
	e.number(f, e.bits(f, r.start))
	return nil
}

// number writes a number, bool or enum.
func (e *encoder) number(f *field, x uint64) {
	switch f.kind {
	case protoreflect.StringKind, protoreflect.BytesKind:
		e.out = append(e.out, `""`...) // the default
	case protoreflect.BoolKind:
		e.out = strconv.AppendBool(e.out, x != 0)
	case protoreflect.EnumKind:
		e.enum(f, int32(x))
	case protoreflect.FloatKind:
		e.out = appendFloat(e.out, float64(math.Float32frombits(uint32(x))), 32)
	case protoreflect.DoubleKind:
		e.out = appendFloat(e.out, math.Float64frombits(x), 64)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		e.out = strconv.AppendUint(e.out, x, 10)
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		e.out = strconv.AppendInt(e.out, int64(x), 10)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		e.out = append(e.out, '"')
		e.out = append(strconv.AppendUint(e.out, x, 10), '"')
	default:
		e.out = append(e.out, '"')
		e.out = append(strconv.AppendInt(e.out, int64(x), 10), '"')
	}
}

func (e *encoder) enum(f *field, n int32) {
	name, known := f.enum.names[n]
	switch {
	case f.isNull:
		e.out = append(e.out, "null"...)
	case e.opts.EnumNumbers || !known:
		e.out = strconv.AppendInt(e.out, int64(n), 10)
	default:
		e.out = append(e.out, '"')
		e.out = append(e.out, name...)
		e.out = append(e.out, '"')
	}
}

// elements writes a list or a map and returns its number of elements.
func (e *encoder) elements(f *field, first int) (count int, err *Error) {
	if f.keyField != nil {
		return e.mapField(f, first)
	}
	return e.list(f, first)
}

// list writes a list and returns its number of elements.
func (e *encoder) list(f *field, first int) (count int, err *Error) {
	e.begin('[')
	for r := first; r != 0; r = e.records[r].next {
		rec := e.records[r]
		switch {
		case f.message != nil:
			e.separate()
			e.records[r].next = 0
			err = e.message(f.message.get(), r)
			e.records[r].next = rec.next
			count++
		case rec.typ == protowire.BytesType && f.packable():
			var n int
			n, err = e.packed(f, rec)
			count += n
		default:
			e.separate()
			err = e.scalar(f, rec)
			count++
		}
		if err != nil {
			return count, err.at(max(count-1, 0))
		}
	}
	e.end(']')
	return count, nil
}

// packed writes the elements of a packed list and returns their number.
func (e *encoder) packed(f *field, r record) (count int, err *Error) {
	err = e.eachPacked(f, r, func(x uint64) {
		if f.enum == nil || f.enum.has(x) {
			e.separate()
			e.number(f, x)
			count++
		}
	})
	return count, err
}

// has reports whether an enum has a number. An open enum has all numbers.
func (e *enum) has(x uint64) bool {
	if !e.closed {
		return true
	}
	_, known := e.names[int32(x)]
	return known
}

// entry is an entry of a map: its key as a number or in in[keyStart:keyEnd], and the
// list of the records of its value.
type entry struct {
	bits             uint64
	keyStart, keyEnd int
	value            int
}

// mapField writes a map, sorted by key, and returns its number of entries. If a
// key occurs several times, its last entry is written.
func (e *encoder) mapField(f *field, first int) (count int, err *Error) {
	records, base := len(e.records), len(e.entries)
	for r := first; r != 0; r = e.records[r].next {
		x, err := e.entry(f, e.records[r])
		if err != nil {
			return 0, err
		}
		if f.value.enum != nil && x.value != 0 && !f.value.enum.has(e.bits(f.value, e.records[x.value].start)) {
			continue // an unknown field
		}
		e.entries = append(e.entries, x)
	}
	slices.SortStableFunc(e.entries[base:], func(a, b entry) int { return e.compareKeys(f.keyField, a, b) })
	e.begin('{')
	end := len(e.entries)
	for i := base; i < end; i++ {
		x := e.entries[i]
		if i+1 < end && e.compareKeys(f.keyField, x, e.entries[i+1]) == 0 {
			if err := e.checkReplaced(f.value, x.value); err != nil {
				return count, err
			}
			continue
		}
		if err := e.member(f, x); err != nil {
			return count, err
		}
		count++
	}
	e.end('}')
	e.records, e.entries = e.records[:records], e.entries[:base]
	return count, nil
}

// entry reads an entry of a map.
func (e *encoder) entry(f *field, r record) (x entry, wrong *Error) {
	in := e.in[:r.end]
	last := 0
	for i := r.start; i < len(in); {
		tag, value, end, err := nextField(in, i)
		if err != nil {
			return x, err
		}
		i = end
		switch {
		case tag == f.keyField.tag && value.typ == protowire.BytesType:
			if f.keyField.utf8 && !utf8.Valid(in[x.keyStart:x.keyEnd]) {
				return x, errKey()
			}
			x.keyStart, x.keyEnd = value.start, value.end
		case tag == f.keyField.tag:
			x.bits = e.bits(f.keyField, value.start)
		case tag == f.value.tag:
			e.records = append(e.records, value)
			n := len(e.records) - 1
			switch {
			case x.value != 0 && f.value.message != nil:
				e.records[last].next = n
			case x.value != 0:
				err = e.checkReplaced(f.value, x.value)
				fallthrough
			default:
				x.value = n
			}
			if err != nil {
				return x, err
			}
			last = n
		}
	}
	return x, nil
}

// errKey returns the error for a key that is not text.
func errKey() *Error { return &Error{Problem: "a key of the map is not valid UTF-8"} }

func (e *encoder) compareKeys(f *field, a, b entry) int {
	switch f.kind {
	case protoreflect.StringKind:
		return bytes.Compare(e.in[a.keyStart:a.keyEnd], e.in[b.keyStart:b.keyEnd])
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind, protoreflect.BoolKind:
		return cmp.Compare(a.bits, b.bits)
	default:
		return cmp.Compare(int64(a.bits), int64(b.bits))
	}
}

// member writes an entry of a map as a member of an object.
func (e *encoder) member(f *field, x entry) *Error {
	e.separate()
	start := len(e.out)
	if f.keyField.kind == protoreflect.StringKind {
		var ok bool
		if e.out, ok = appendString(e.out, e.in[x.keyStart:x.keyEnd]); !ok {
			return errKey()
		}
	} else {
		e.out = append(e.out, '"')
		e.out = appendKey(e.out, f.keyField.kind, x.bits)
		e.out = append(e.out, '"')
	}
	keyEnd := len(e.out)
	e.out = append(e.out, ':')
	if e.opts.Indent {
		e.out = append(e.out, ' ')
	}
	if err := e.mapValue(f.value, x); err != nil {
		return err.step(Step{Key: unquote(e.out[start:keyEnd]), Entry: true, Index: -1})
	}
	return nil
}

func (e *encoder) mapValue(f *field, x entry) *Error {
	switch {
	case f.message == nil && x.value == 0:
		e.number(f, 0)
		return nil
	case f.message == nil:
		return e.scalar(f, e.records[x.value])
	case x.value == 0:
		return e.message(f.message.get(), e.span(0, 0))
	default:
		return e.message(f.message.get(), x.value)
	}
}

func appendKey(out []byte, kind protoreflect.Kind, bits uint64) []byte {
	switch kind {
	case protoreflect.BoolKind:
		return strconv.AppendBool(out, bits != 0)
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		return strconv.AppendUint(out, bits, 10)
	default:
		return strconv.AppendInt(out, int64(bits), 10)
	}
}

// unquote returns the text of a key, for an error.
func unquote(key []byte) string {
	s := scanner{in: key}
	text, err := s.text()
	if err != nil || !utf8.Valid(text) {
		return fmt.Sprintf("%.100q", key)
	}
	return string(text)
}
