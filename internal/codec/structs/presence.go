package structs

import (
	"reflect"
	"unsafe"
)

// isNil reports whether the pointer, slice, map or interface at p is nil: each of
// them starts with a word that is nil only then.
func isNil(p unsafe.Pointer) bool { return *(*unsafe.Pointer)(p) == nil }

// pointee returns what the pointer at p points to, allocated first if it is nil.
func (f *field) pointee(p unsafe.Pointer) unsafe.Pointer {
	q := (*unsafe.Pointer)(p)
	if *q == nil {
		*q = f.allocate()
	}
	return *q
}

func (f *field) allocate() unsafe.Pointer {
	switch f.elem {
	case 1:
		return unsafe.Pointer(new(uint8))
	case 4:
		return unsafe.Pointer(new(uint32))
	case 8:
		return unsafe.Pointer(new(uint64))
	}
	return reflect.New(f.elemType).UnsafePointer()
}

// decodePointerBits reads a number into a pointer.
func decodePointerBits(d *decoder, f *field, p unsafe.Pointer, x uint64) bool {
	if f.enum != nil && f.enum.rejects(int32(x)) {
		return false
	}
	return f.elemBits(d, f, f.pointee(p), x)
}

func decodePointerBytes(d *decoder, f *field, p unsafe.Pointer, b []byte) *Error {
	return f.elemBytes(d, f, f.pointee(p), b)
}

// encodePointer writes what the pointer at p points to, unless it is nil.
func encodePointer(e *encoder, f *field, p unsafe.Pointer) *Error {
	q := *(*unsafe.Pointer)(p)
	if q == nil {
		if f.required {
			return e.addMissing(f)
		}
		return nil
	}
	before := e.Written()
	if err := f.elemEncode(e, f, q); err != nil {
		return err
	}
	if !f.present && f.isDefault(q) {
		e.Rewind(before)
		return nil
	}
	e.Varint(f.tag)
	return nil
}

// isDefault reports whether the value at p is the zero that a field without
// presence does not write.
func (f *field) isDefault(p unsafe.Pointer) bool {
	switch {
	case f.elemType.Kind() == reflect.String && f.enum != nil:
		n, _ := f.enum.number(*(*string)(p))
		return n == 0
	case f.elemType.Kind() == reflect.String:
		return *(*string)(p) == ""
	case f.elemType.Kind() == reflect.Slice:
		return len(*(*[]byte)(p)) == 0
	}
	x, _ := f.load.from(p)
	return x == 0
}

// makeExclusive wraps the functions of a member of a oneof, so that reading it
// unsets the others.
func (f *field) makeExclusive() {
	if f.decodeBits != nil {
		inner := f.decodeBits
		f.decodeBits = func(d *decoder, f *field, p unsafe.Pointer, x uint64) bool {
			known := inner(d, f, p, x)
			if known {
				f.clearRivals(p)
			}
			return known
		}
	}
	if f.decodeBytes != nil {
		inner := f.decodeBytes
		f.decodeBytes = func(d *decoder, f *field, p unsafe.Pointer, b []byte) *Error {
			err := inner(d, f, p, b)
			if err == nil {
				f.clearRivals(p)
			}
			return err
		}
	}
}

func (f *field) clearRivals(p unsafe.Pointer) {
	base := unsafe.Add(p, -int(f.off))
	for _, r := range f.rivals {
		q := unsafe.Add(base, r.off)
		if !isNil(q) {
			reflect.NewAt(r.goType, q).Elem().SetZero()
		}
	}
}
