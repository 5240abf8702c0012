package structs

import (
	"reflect"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// header is the memory layout of a slice.
type header struct {
	data unsafe.Pointer
	len  int
	cap  int
}

// full reports whether the slice or map at p has no room for one more element. The
// decoder then counts the elements that follow, to make room for all of them.
func full(f *field, p unsafe.Pointer) bool {
	if f.maps != nil {
		return isNil(p)
	}
	h := (*header)(p)
	return h.len == h.cap
}

// extend makes room for d.hint more elements in the slice at p.
func (d *decoder) extend(slice reflect.Type, p unsafe.Pointer) {
	reflect.NewAt(slice, p).Elem().Grow(d.hint)
}

func decodeList1(_ *decoder, f *field, p unsafe.Pointer, x uint64) bool {
	list := (*[]uint8)(p)
	*list = append(*list, uint8(f.conv.apply(x)))
	return true
}

func decodeList4(_ *decoder, f *field, p unsafe.Pointer, x uint64) bool {
	if f.enum != nil && f.enum.rejects(int32(x)) {
		return false
	}
	list := (*[]uint32)(p)
	*list = append(*list, uint32(f.conv.apply(x)))
	return true
}

func decodeList8(_ *decoder, f *field, p unsafe.Pointer, x uint64) bool {
	if f.enum != nil && f.enum.rejects(int32(x)) {
		return false
	}
	list := (*[]uint64)(p)
	*list = append(*list, f.conv.apply(x))
	return true
}

func decodeListName(d *decoder, f *field, p unsafe.Pointer, x uint64) bool {
	var name string
	known := decodeName(d, f, unsafe.Pointer(&name), x)
	if known {
		list := (*[]string)(p)
		*list = append(*list, name)
	}
	return known
}

// decodePacked reads a packed list of numbers.
func decodePacked(_ *decoder, f *field, p unsafe.Pointer, b []byte) *Error {
	if len(b) == 0 {
		return nil
	}
	n, err := f.countPacked(b)
	if err != nil {
		return err
	}
	h := (*header)(p)
	if h.cap-h.len < n {
		reflect.NewAt(f.goType, p).Elem().Grow(n)
	}
	at := h.len // an index: a pointer must not run past the end
	h.len += n
	width := len(b) / n // of the fixed wire types
	for i := 0; i < len(b); at++ {
		var x uint64
		switch {
		case f.wire == protowire.Fixed32Type:
			x = uint64(wire.Uint32(b[i:]))
			i += width
		case f.wire == protowire.Fixed64Type:
			x = wire.Uint64(b[i:])
			i += width
		case b[i] < 0x80:
			x = uint64(b[i])
			i++
		default:
			if x, i = wire.Varint(b, i); i <= 0 {
				return wire.Malformed(i)
			}
		}
		store(f.elem, unsafe.Add(h.data, at*int(f.elem)), f.conv.apply(x))
	}
	return nil
}

// decodePackedEnum reads a packed list of a closed enum, or of one whose names
// are wanted. Numbers that the enum does not have are kept as unknown fields of
// their own, as they would be unpacked.
func decodePackedEnum(d *decoder, f *field, p unsafe.Pointer, b []byte) *Error {
	for i := 0; i < len(b); {
		x, next := wire.Varint(b, i)
		if next <= 0 {
			return wire.Malformed(next)
		}
		i = next
		if !f.decodeBits(d, f, p, x) && f.owner.keepsUnknown {
			raw := protowire.AppendVarint(nil, protowire.EncodeTag(protowire.Number(f.tag>>3), f.wire))
			f.owner.keep(unsafe.Add(p, -int(f.off)), protowire.AppendVarint(raw, x))
		}
	}
	return nil
}

// countPacked returns the number of elements in b, which is not empty. Each
// varint that is complete has one byte below 0x80.
func (f *field) countPacked(b []byte) (int, *Error) {
	width := 1
	switch f.wire {
	case protowire.VarintType:
		n := 0
		for _, c := range b {
			if c < 0x80 {
				n++
			}
		}
		if n == 0 {
			return 0, wire.NewMalformed(wire.DetailTruncated)
		}
		return n, nil
	case protowire.Fixed32Type:
		width = 4
	case protowire.Fixed64Type:
		width = 8
	}
	if len(b)%width != 0 {
		return 0, wire.NewMalformed(wire.DetailTruncated)
	}
	return len(b) / width, nil
}

// encodeList writes the elements, each with its tag.
func encodeList(e *encoder, f *field, p unsafe.Pointer) *Error {
	h := *(*header)(p)
	size := f.elemType.Size()
	for i := h.len - 1; i >= 0; i-- {
		if err := f.elemEncode(e, f, unsafe.Add(h.data, uintptr(i)*size)); err != nil {
			return err.Elem(i)
		}
		e.Varint(f.tag)
	}
	return nil
}

// encodePacked writes one tag and the elements.
func encodePacked(e *encoder, f *field, p unsafe.Pointer) *Error {
	h := *(*header)(p)
	if h.len == 0 {
		return nil
	}
	size := f.elemType.Size()
	before := e.Written()
	for i := h.len - 1; i >= 0; i-- {
		if err := f.elemEncode(e, f, unsafe.Add(h.data, uintptr(i)*size)); err != nil {
			return err.Elem(i)
		}
	}
	e.PrefixField(f.tag, before)
	return nil
}
