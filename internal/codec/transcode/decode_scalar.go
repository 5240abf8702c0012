package transcode

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// scalar reads a scalar of the kind of f and appends it without a tag. It
// reports false, and appends nothing, for an ignored unknown enum name.
func (d *decoder) scalar(f *field) (bool, *Error) {
	switch f.kind {
	case protoreflect.StringKind:
		return true, d.stringValue(f)
	case protoreflect.BytesKind:
		return true, d.bytesValue(f)
	case protoreflect.BoolKind:
		return true, d.boolValue(f)
	case protoreflect.EnumKind:
		return d.enumValue(f)
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return true, d.floatValue(f)
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		return true, d.uintValue(f)
	default:
		return true, d.intValue(f)
	}
}

func (d *decoder) stringValue(f *field) *Error {
	if d.space() != '"' {
		return d.mismatch(d.pos, wanted(f))
	}
	text, err := d.text()
	if err != nil {
		return err
	}
	d.out = appendVarint(d.out, uint64(len(text)))
	d.out = append(d.out, text...)
	return nil
}

func (d *decoder) boolValue(f *field) *Error {
	switch c := d.space(); {
	case c == 't' && d.literal("true"):
		d.out = append(d.out, 1)
	case c == 'f' && d.literal("false"):
		d.out = append(d.out, 0)
	default:
		return d.mismatch(d.pos, wanted(f))
	}
	return nil
}

// bytesValue reads base64 of either alphabet, with or without padding.
func (d *decoder) bytesValue(f *field) *Error {
	if d.space() != '"' {
		return d.mismatch(d.pos, wanted(f))
	}
	at := d.pos
	text, err := d.text()
	if err != nil {
		return err
	}
	encoding := base64.StdEncoding
	for _, c := range text {
		if c == '-' || c == '_' {
			encoding = base64.URLEncoding
			break
		}
	}
	if len(text)%4 != 0 {
		encoding = encoding.WithPadding(base64.NoPadding)
	}
	start := d.open()
	var wrong error
	if d.out, wrong = encoding.AppendDecode(d.out, text); wrong != nil {
		return d.mismatch(at, wanted(f))
	}
	d.close(start)
	return nil
}

func (d *decoder) enumValue(f *field) (bool, *Error) {
	at := d.pos
	switch c := d.space(); {
	case c == '"':
		name, err := d.text()
		if err != nil {
			return false, err
		}
		n, known := f.enum.numbers[string(name)]
		if !known {
			if d.opts.IgnoreUnknown {
				return false, nil
			}
			return false, f.enum.unknown(string(name), at)
		}
		d.out = appendVarint(d.out, uint64(n))
		return true, nil
	case c == 'n' && f.isNull && d.literal("null"):
		d.out = append(d.out, 0)
		return true, nil
	case c == '-' || '0' <= c && c <= '9':
		at = d.pos
		digits, err := d.number()
		if err != nil {
			return false, err
		}
		n, ok := parseInt(digits, 32)
		if !ok {
			return false, d.mismatch(at, wanted(f))
		}
		d.out = appendVarint(d.out, uint64(n))
		return true, nil
	}
	return false, d.mismatch(d.pos, wanted(f))
}

func (e *enum) unknown(name string, at int) *Error {
	values := e.desc.Values()
	names := make([]string, values.Len())
	for i := range names {
		names[i] = string(values.Get(i).Name())
	}
	return unknown(e.desc, "value", name, names, at)
}

// digits reads a number, which may be in a string.
func (d *decoder) digits() ([]byte, *Error, bool) {
	switch c := d.space(); {
	case c == '"':
		text, err := d.text()
		return text, err, err == nil && numberEnd(text, 0) == len(text)
	case c == '-' || '0' <= c && c <= '9':
		number, err := d.number()
		return number, err, err == nil
	default:
		return nil, nil, false
	}
}

func (d *decoder) intValue(f *field) *Error {
	d.space()
	at := d.pos
	digits, err, ok := d.digits()
	if err != nil {
		return err
	}
	if ok {
		var n int64
		if n, ok = parseInt(digits, size(f.kind)); ok {
			d.appendNumber(f.kind, uint64(n))
			return nil
		}
	}
	return d.mismatch(at, wanted(f))
}

func (d *decoder) uintValue(f *field) *Error {
	d.space()
	at := d.pos
	digits, err, ok := d.digits()
	if err != nil {
		return err
	}
	if ok {
		var n uint64
		if n, ok = parseUint(digits, size(f.kind)); ok {
			d.appendNumber(f.kind, n)
			return nil
		}
	}
	return d.mismatch(at, wanted(f))
}

func (d *decoder) floatValue(f *field) *Error {
	c := d.space()
	at := d.pos
	text, err, ok := d.digits()
	if err != nil {
		return err
	}
	x := 0.0
	switch {
	case ok:
		var wrong error
		x, wrong = strconv.ParseFloat(string(text), size(f.kind))
		ok = wrong == nil
	case c == '"':
		x, ok = specialFloat(string(text))
	}
	if !ok {
		return d.mismatch(at, wanted(f))
	}
	if f.kind == protoreflect.FloatKind {
		d.out = binary.LittleEndian.AppendUint32(d.out, math.Float32bits(float32(x)))
	} else {
		d.out = binary.LittleEndian.AppendUint64(d.out, math.Float64bits(x))
	}
	return nil
}

func specialFloat(name string) (float64, bool) {
	switch name {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	return 0, false
}

// size returns the number of bits of a numeric kind.
func size(k protoreflect.Kind) int {
	switch k {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Uint32Kind,
		protoreflect.Sfixed32Kind, protoreflect.Fixed32Kind, protoreflect.FloatKind:
		return 32
	}
	return 64
}

// appendNumber appends an integer of a kind.
func (d *decoder) appendNumber(k protoreflect.Kind, n uint64) {
	switch k {
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		d.out = appendVarint(d.out, protowire.EncodeZigZag(int64(n)))
	case protoreflect.Sfixed32Kind, protoreflect.Fixed32Kind:
		d.out = binary.LittleEndian.AppendUint32(d.out, uint32(n))
	case protoreflect.Sfixed64Kind, protoreflect.Fixed64Kind:
		d.out = binary.LittleEndian.AppendUint64(d.out, n)
	default:
		d.out = appendVarint(d.out, n)
	}
}
