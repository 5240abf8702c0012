package structs

import (
	"math"
	"strconv"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// conv says how the bits of a number on the wire become the bits of the Go value.
type conv uint8

const (
	convRaw      conv = iota // as they are, cut to the size of the Go type
	convZigZag32             // sint32
	convZigZag64             // sint64
	convSigned               // int32 kinds in a Go type of 64 bits
	convUnsigned             // uint32 kinds in a Go type of 64 bits
	convFloat                // float in a float64
	convBool
)

func (c conv) apply(x uint64) uint64 {
	switch c {
	case convZigZag32:
		u := uint32(x)
		return uint64(int32(u>>1) ^ -int32(u&1))
	case convZigZag64:
		return x>>1 ^ -(x & 1)
	case convSigned:
		return uint64(int32(x))
	case convUnsigned:
		return uint64(uint32(x))
	case convFloat:
		return math.Float64bits(float64(math.Float32frombits(uint32(x))))
	case convBool:
		if x != 0 {
			return 1
		}
	}
	return x
}

// load says how the Go value becomes the bits on the wire, the reverse of conv.
type load uint8

const (
	load1         load = iota // bool
	load4                     // uint32, fixed32, sfixed32, float
	load4Signed               // int32, enums: negative numbers have ten bytes
	load4ZigZag               // sint32
	load8                     // the 64-bit kinds
	load8ZigZag               // sint64
	load8Signed32             // int32, enums in a Go type of 64 bits
	load8ZigZag32             // sint32 in a Go type of 64 bits
	load8Cut32                // sfixed32 in a Go type of 64 bits
	load8Unsigned             // uint32, fixed32 in a Go type of 64 bits
	load8Float                // float in a float64
)

// from reads the Go value at p; ok is false when the field cannot hold it.
func (l load) from(p unsafe.Pointer) (x uint64, ok bool) {
	switch l {
	case load1:
		return uint64(*(*uint8)(p)), true
	case load4:
		return uint64(*(*uint32)(p)), true
	case load4Signed:
		return uint64(*(*int32)(p)), true
	case load4ZigZag:
		return zigZag32(*(*int32)(p)), true
	case load8:
		return *(*uint64)(p), true
	case load8ZigZag:
		return protowire.EncodeZigZag(*(*int64)(p)), true
	}
	return l.narrow(p)
}

// narrow reads a Go value that is wider than the field.
func (l load) narrow(p unsafe.Pointer) (x uint64, ok bool) {
	switch l {
	case load8Unsigned:
		u := *(*uint64)(p)
		return u, u <= math.MaxUint32
	case load8Float:
		v := *(*float64)(p)
		narrow := float32(v)
		ok = !math.IsInf(float64(narrow), 0) || math.IsInf(v, 0)
		return uint64(math.Float32bits(narrow)), ok
	}
	v := *(*int64)(p)
	ok = int64(int32(v)) == v
	switch l {
	case load8ZigZag32:
		return zigZag32(int32(v)), ok
	case load8Cut32:
		return uint64(uint32(v)), ok
	}
	return uint64(v), ok
}

func zigZag32(v int32) uint64 { return uint64(uint32(v<<1) ^ uint32(v>>31)) }

func decode1(_ *decoder, f *field, p unsafe.Pointer, x uint64) bool {
	*(*uint8)(p) = uint8(f.conv.apply(x))
	return true
}

func decode4(_ *decoder, f *field, p unsafe.Pointer, x uint64) bool {
	if f.conv != convRaw {
		x = f.conv.apply(x)
	}
	*(*uint32)(p) = uint32(x)
	return true
}

func decode8(_ *decoder, f *field, p unsafe.Pointer, x uint64) bool {
	if f.conv != convRaw {
		x = f.conv.apply(x)
	}
	*(*uint64)(p) = x
	return true
}

// decodeClosed reads a number of a closed enum.
func decodeClosed(_ *decoder, f *field, p unsafe.Pointer, x uint64) bool {
	if f.enum.rejects(int32(x)) {
		return false
	}
	store(f.elem, p, f.conv.apply(x))
	return true
}

// decodeName reads an enum into a string.
func decodeName(_ *decoder, f *field, p unsafe.Pointer, x uint64) bool {
	n := int32(x)
	if f.enum.rejects(n) {
		return false
	}
	name, ok := f.enum.names[n]
	if !ok {
		name = strconv.Itoa(int(n))
	}
	*(*string)(p) = name
	return true
}

func store(size uint8, p unsafe.Pointer, x uint64) {
	switch size {
	case 1:
		*(*uint8)(p) = uint8(x)
	case 4:
		*(*uint32)(p) = uint32(x)
	default:
		*(*uint64)(p) = x
	}
}

// encodeScalar writes a number, bool or enum without its tag.
func encodeScalar(e *encoder, f *field, p unsafe.Pointer) *Error {
	x, ok := f.load.from(p)
	if !ok {
		return f.outOfRange(p)
	}
	e.Number(f.wire, x)
	return nil
}

// encodePlain writes a number, bool or enum that is held as a plain value.
func encodePlain(e *encoder, f *field, p unsafe.Pointer) *Error {
	x, ok := f.load.from(p)
	if !ok {
		return f.outOfRange(p)
	}
	if x == f.def && !f.always {
		return nil
	}
	e.NumberField(f.tag, f.wire, x)
	return nil
}

func (f *field) outOfRange(p unsafe.Pointer) *Error {
	switch f.load {
	case load8Float:
		return wire.NewUnencodable("%v is out of the range of float", *(*float64)(p))
	case load8Unsigned:
		return wire.NewUnencodable("%d is out of the range of uint32", *(*uint64)(p))
	}
	return wire.NewUnencodable("%d is out of the range of int32", *(*int64)(p))
}

// number finds the number of an enum value given by name or in digits. The
// empty name is the default.
func (en *enum) number(name string) (int32, *Error) {
	if name == "" {
		return en.zero, nil
	}
	if n, ok := en.numbers[name]; ok {
		return n, nil
	}
	if n, err := strconv.ParseInt(name, 10, 32); err == nil {
		return int32(n), nil
	}
	return 0, wire.NewUnencodable("the enum has no value %q", name)
}

func encodeName(e *encoder, f *field, p unsafe.Pointer) *Error {
	n, err := f.enum.number(*(*string)(p))
	if err != nil {
		return err
	}
	e.Varint(uint64(n))
	return nil
}

func encodePlainName(e *encoder, f *field, p unsafe.Pointer) *Error {
	name := *(*string)(p)
	if !f.always && (name == "" || name == f.defText) {
		return nil
	}
	n, err := f.enum.number(name)
	if err != nil {
		return err
	}
	if !f.always && uint64(n) == f.def {
		return nil
	}
	e.VarintField(f.tag, uint64(n))
	return nil
}
