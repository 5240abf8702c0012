package structs

import (
	"reflect"
	"unsafe"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// block is memory from which nested messages of one type are handed out: an
// array of that type, so that the garbage collector knows what is in it.
type block struct {
	header     // len of cap messages are handed out
	last   int // size of the block before, which the next one doubles
}

// A block that is not for a list has at most maxBlock messages and, unless a
// single one is larger, maxBlockBytes: a message that is kept keeps its block
// alive.
const (
	maxBlock      = 16
	maxBlockBytes = 2048
)

// allocate returns an empty message of the plan. n is how many are about to be
// needed, if known.
func (d *decoder) allocate(pl *plan, n int) unsafe.Pointer {
	k := &d.blocks[pl.index]
	if k.cap-k.len < max(n, 1) {
		if n <= 1 {
			n = max(1, min(2*k.last, maxBlock, pl.perBlock))
		}
		k.header, k.last = header{}, n
		reflect.NewAt(pl.slice, unsafe.Pointer(&k.header)).Elem().Grow(n)
	}
	p := unsafe.Add(k.data, uintptr(k.len)*pl.size)
	k.len++
	if pl.inits != nil {
		pl.init(p)
	}
	return p
}

// decodeMessage reads a message into a plain value.
func decodeMessage(d *decoder, f *field, p unsafe.Pointer, b []byte) *Error {
	return d.sub(f.sub, p, b)
}

// decodeNilable reads a message whose Go type has a nil of its own, such as
// []string for a FieldMask: an empty message that is there is not nil.
func decodeNilable(d *decoder, f *field, p unsafe.Pointer, b []byte) *Error {
	if err := d.sub(f.sub, p, b); err != nil {
		return err
	}
	f.sub.makeEmpty(p)
	return nil
}

// makeEmpty makes a nil slice or map an empty one.
func (pl *plan) makeEmpty(p unsafe.Pointer) {
	if !isNil(p) {
		return
	}
	switch v := reflect.NewAt(pl.typ, p).Elem(); v.Kind() {
	case reflect.Map:
		v.Set(reflect.MakeMap(pl.typ))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(pl.typ, 0, 0))
	}
}

// decodeMessagePointer reads a message into a pointer.
func decodeMessagePointer(d *decoder, f *field, p unsafe.Pointer, b []byte) *Error {
	q := (*unsafe.Pointer)(p)
	if *q == nil {
		*q = d.allocate(f.sub, 0)
	}
	if f.nilable {
		return decodeNilable(d, f, *q, b)
	}
	return d.sub(f.sub, *q, b)
}

// decodeMessages reads one element of a []T.
func decodeMessages(d *decoder, f *field, p unsafe.Pointer, b []byte) *Error {
	h := (*header)(p)
	if h.len == h.cap {
		d.extend(f.goType, p)
	}
	h.len++
	q := unsafe.Add(h.data, uintptr(h.len-1)*f.sub.size)
	if f.sub.inits != nil {
		f.sub.init(q)
	}
	err := d.sub(f.sub, q, b)
	if err != nil {
		return err.Elem(h.len - 1)
	}
	if f.nilable {
		f.sub.makeEmpty(q)
	}
	return nil
}

// decodeMessagePointers reads one element of a []*T.
func decodeMessagePointers(d *decoder, f *field, p unsafe.Pointer, b []byte) *Error {
	h := (*header)(p)
	hint := 0
	if h.len == h.cap {
		hint = d.hint
		d.extend(f.goType, p)
	}
	q := d.allocate(f.sub, hint)
	h.len++
	(*(*[]unsafe.Pointer)(p))[h.len-1] = q
	if err := d.sub(f.sub, q, b); err != nil {
		return err.Elem(h.len - 1)
	}
	if f.nilable {
		f.sub.makeEmpty(q)
	}
	return nil
}

// encodeMessage writes a message held as a plain value, unless it is empty.
func encodeMessage(e *encoder, f *field, p unsafe.Pointer) *Error {
	if !f.always {
		if f.nilable && isNil(p) || f.sub.isZero(p) {
			return nil
		}
	}
	before := e.Written()
	if err := e.nested(f, p, noIndex); err != nil {
		return err
	}
	if !f.always && !f.nilable && f.sub.leaf == nil && e.Written()-before == f.emptySize() {
		e.Rewind(before)
	}
	return nil
}

// emptySize is the length of the field when its message is empty.
func (f *field) emptySize() int {
	if f.group {
		return 2 * int(f.tagLen)
	}
	return int(f.tagLen) + 1
}

// encodeMessagePointer writes a message held by pointer, unless it is nil.
func encodeMessagePointer(e *encoder, f *field, p unsafe.Pointer) *Error {
	q := *(*unsafe.Pointer)(p)
	if q == nil {
		if f.required {
			return e.addMissing(f)
		}
		return nil
	}
	return e.nested(f, q, noIndex)
}

func encodeMessages(e *encoder, f *field, p unsafe.Pointer) *Error {
	h := *(*header)(p)
	for i := h.len - 1; i >= 0; i-- {
		if err := e.nested(f, unsafe.Add(h.data, uintptr(i)*f.sub.size), i); err != nil {
			return err.Elem(i)
		}
	}
	return nil
}

func encodeMessagePointers(e *encoder, f *field, p unsafe.Pointer) *Error {
	list := *(*[]unsafe.Pointer)(p)
	for i := len(list) - 1; i >= 0; i-- {
		if list[i] == nil {
			return wire.NewUnencodable("the element is nil").Elem(i)
		}
		if err := e.nested(f, list[i], i); err != nil {
			return err.Elem(i)
		}
	}
	return nil
}
