package structs

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"unicode/utf8"
	"unsafe"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// valueLeaf reads a google.protobuf.Value into an any: nil, float64, string,
// bool, map[string]any or []any. It writes numbers of every Go type, and a
// []byte in base64, as structpb.NewValue does.
type valueLeaf struct {
	fields *plan // of google.protobuf.Struct into map[string]any
	items  *plan // of google.protobuf.ListValue into []any
}

// Tags of google.protobuf.Value.
const (
	tagNull   = 1 << 3
	tagNumber = 2<<3 | 1
	tagString = 3<<3 | 2
	tagBool   = 4 << 3
	tagStruct = 5<<3 | 2
	tagList   = 6<<3 | 2
)

func (l *valueLeaf) decode(d *decoder, p unsafe.Pointer, b []byte) *Error {
	v := (*any)(p)
	for i := 0; i < len(b); {
		tag, next := wire.Tag(b, i)
		if next <= 0 {
			return wire.Malformed(next)
		}
		end, err := wire.Skip(b, next, tag, d.depth)
		if err != nil {
			return err
		}
		if err := l.member(d, v, tag, b[next:end]); err != nil {
			return err
		}
		i = end
	}
	return nil
}

// member reads one member of the oneof; raw is its value, known to be well-formed.
func (l *valueLeaf) member(d *decoder, v *any, tag uint64, raw []byte) *Error {
	switch tag {
	case tagNull:
		*v = nil
	case tagNumber:
		*v = math.Float64frombits(wire.Uint64(raw))
	case tagBool:
		x, _ := wire.Varint(raw, 0)
		*v = x != 0
	case tagString:
		_, i := wire.Length(raw, 0)
		if !utf8.Valid(raw[i:]) {
			return wire.NewMalformed(wire.DetailUTF8)
		}
		*v = d.text(raw[i:])
	case tagStruct:
		_, i := wire.Length(raw, 0)
		m, _ := (*v).(map[string]any)
		if m == nil {
			m = map[string]any{}
		}
		*v = m
		return d.sub(l.fields, unsafe.Pointer(&m), raw[i:])
	case tagList:
		_, i := wire.Length(raw, 0)
		list, _ := (*v).([]any)
		if list == nil {
			list = []any{}
		}
		err := d.sub(l.items, unsafe.Pointer(&list), raw[i:])
		*v = list
		return err
	}
	return nil
}

func (l *valueLeaf) isZero(p unsafe.Pointer) bool { return *(*any)(p) == nil }

func (l *valueLeaf) encode(e *encoder, p unsafe.Pointer) *Error {
	before := e.Written()
	switch v := (*(*any)(p)).(type) {
	case nil:
		e.VarintField(tagNull, 0)
	case bool:
		x := uint64(0)
		if v {
			x = 1
		}
		e.VarintField(tagBool, x)
	case string:
		return e.valueText(v)
	case []byte:
		return e.valueText(base64.StdEncoding.EncodeToString(v))
	case map[string]any:
		if err := e.sub(l.fields, unsafe.Pointer(&v)); err != nil {
			return err
		}
		e.wrap(tagStruct>>3, before)
	case []any:
		if err := e.sub(l.items, unsafe.Pointer(&v)); err != nil {
			return err
		}
		e.wrap(tagList>>3, before)
	default:
		x, ok := toFloat(v)
		if !ok {
			return wire.NewUnencodable("a google.protobuf.Value cannot hold a %T", v)
		}
		e.NumberField(tagNumber, 1, math.Float64bits(x))
	}
	return nil
}

func (e *encoder) valueText(s string) *Error {
	if !utf8.ValidString(s) {
		return wire.NewUnencodable(wire.DetailUTF8)
	}
	e.TextField(tagString, s)
	return nil
}

// toFloat converts a number of any Go type.
func toFloat(v any) (float64, bool) {
	if n, ok := v.(json.Number); ok {
		x, err := n.Float64()
		return x, err == nil
	}
	switch r := reflect.ValueOf(v); {
	case r.CanFloat():
		return r.Float(), true
	case r.CanInt():
		return float64(r.Int()), true
	case r.CanUint():
		return float64(r.Uint()), true
	}
	return 0, false
}
