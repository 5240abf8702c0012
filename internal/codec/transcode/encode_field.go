package transcode

import (
	"encoding/base64"
	"math"
	"strconv"

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
	switch {
	case f.list || f.keyField != nil:
		before := len(e.out)
		e.fieldKey(f)
		count, err := e.elements(f, first)
		if count == 0 && err == nil { // all are unknown fields, or packed in an empty list
			e.out = e.out[:before]
			return e.absent(f)
		}
		return err
	case f.message != nil:
		e.fieldKey(f)
		return e.message(f.message.get(), first)
	}
	return e.singular(f, e.records[first])
}

// singular writes a field with a scalar.
func (e *encoder) singular(f *field, r record) *Error {
	if r.typ == protowire.BytesType {
		if r.start == r.end && !f.presence {
			return e.absent(f)
		}
		e.fieldKey(f)
		if f.kind != protoreflect.StringKind {
			return e.text(f, r)
		}
		var ok bool
		if e.out, ok = appendString(e.out, e.in[r.start:r.end]); !ok {
			return errUTF8()
		}
		return nil
	}
	x := e.bits(f, r.start)
	if x == 0 && !f.presence {
		return e.absent(f)
	}
	e.fieldKey(f)
	e.number(f, x)
	return nil
}

// absent writes a field that is not set, if the options require it.
func (e *encoder) absent(f *field) *Error {
	if f.required && !e.partial {
		return &Error{Problem: "the required field is not set"}
	}
	if !e.fill || f.oneof >= 0 || f.index < 0 || f.presence && !e.opts.EmitUnpopulated {
		return nil
	}
	e.fieldKey(f)
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

// bits returns the number at a position, converted to the kind of f.
func (e *encoder) bits(f *field, i int) uint64 {
	var x uint64
	switch protowire.Type(f.tag & 7) {
	case protowire.Fixed32Type:
		x = uint64(wire.Uint32(e.in[i:]))
	case protowire.Fixed64Type:
		x = wire.Uint64(e.in[i:])
	default:
		if x = uint64(e.in[i]); x >= 0x80 {
			x, _ = wire.Varint(e.in, i)
		}
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
	if f.kind == protoreflect.StringKind || f.kind == protoreflect.BytesKind {
		return e.text(f, r)
	}
	e.number(f, e.bits(f, r.start))
	return nil
}

// text writes a string or bytes.
func (e *encoder) text(f *field, r record) *Error {
	if f.kind == protoreflect.BytesKind {
		e.out = append(e.out, '"')
		e.out = base64.StdEncoding.AppendEncode(e.out, e.in[r.start:r.end])
		e.out = append(e.out, '"')
		return nil
	}
	var ok bool
	if e.out, ok = appendString(e.out, e.in[r.start:r.end]); !ok {
		return errUTF8()
	}
	return nil
}

// errUTF8 returns the error for a string that is not text.
func errUTF8() *Error { return &Error{Problem: "the string is not valid UTF-8"} }

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
			err = e.messageAt(f.message.get(), rec.start, rec.end)
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
