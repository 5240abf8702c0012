package structs

import (
	"slices"
	"unicode/utf8"
	"unsafe"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// The strings of one message share arenas of at most maxArena bytes. So a string
// that outlives its message keeps at most that much memory alive. A long string is
// allocated on its own.
const (
	minArena = 128
	maxArena = 1024
)

// text makes a Go string of b.
func (d *decoder) text(b []byte) string {
	if d.alias {
		return unsafe.String(unsafe.SliceData(b), len(b))
	}
	if len(b) > len(d.arena)-d.used {
		if len(b) > maxArena/4 {
			d.left -= len(b)
			return string(b)
		}
		d.grow(len(b))
	}
	s := d.arena[d.used : d.used+len(b)]
	copy(s, b)
	d.used += len(b)
	return unsafe.String(unsafe.SliceData(s), len(s))
}

// grow starts an arena for at least n bytes, and for no more than the rest of
// the input can need.
func (d *decoder) grow(n int) {
	d.left -= d.used
	d.used = 0
	d.chunk = min(max(minArena, 2*d.chunk), maxArena)
	d.arena = make([]byte, max(n, min(d.chunk, d.left)))
}

// Lists of a few strings are cut from blocks as well.
const (
	maxShared   = 8
	stringBlock = 32
)

// strings makes room for n strings.
func (d *decoder) strings(n int) []string {
	if n > maxShared {
		return make([]string, 0, n)
	}
	if cap(d.lists)-len(d.lists) < n {
		d.lists = make([]string, 0, min(max(2*cap(d.lists), n), stringBlock))
	}
	at := len(d.lists)
	d.lists = d.lists[:at+n]
	return d.lists[at : at : at+n]
}

// bytes makes a Go slice of b that is never nil.
func (d *decoder) bytes(b []byte) []byte {
	if d.alias {
		return b
	}
	return append(make([]byte, 0, len(b)), b...)
}

func decodeString(d *decoder, f *field, p unsafe.Pointer, b []byte) *Error {
	if f.utf8 && !utf8.Valid(b) {
		return wire.NewMalformed(wire.DetailUTF8)
	}
	*(*string)(p) = d.text(b)
	return nil
}

func decodeBytes(d *decoder, f *field, p unsafe.Pointer, b []byte) *Error {
	if f.utf8 && !utf8.Valid(b) {
		return wire.NewMalformed(wire.DetailUTF8)
	}
	*(*[]byte)(p) = d.bytes(b)
	return nil
}

func decodeStrings(d *decoder, f *field, p unsafe.Pointer, b []byte) *Error {
	list := (*[]string)(p)
	if f.utf8 && !utf8.Valid(b) {
		return wire.NewMalformed(wire.DetailUTF8).Elem(len(*list))
	}
	if *list == nil {
		*list = d.strings(d.hint)
	} else if len(*list) == cap(*list) {
		*list = slices.Grow(*list, d.hint)
	}
	// Not append, which would write the pointer of the list each time, at the
	// cost of a write barrier.
	h := (*header)(p)
	h.len++
	(*list)[h.len-1] = d.text(b)
	return nil
}

func decodeBytesList(d *decoder, f *field, p unsafe.Pointer, b []byte) *Error {
	list := (*[][]byte)(p)
	if f.utf8 && !utf8.Valid(b) {
		return wire.NewMalformed(wire.DetailUTF8).Elem(len(*list))
	}
	if len(*list) == cap(*list) {
		*list = slices.Grow(*list, d.hint)
	}
	*list = append(*list, d.bytes(b))
	return nil
}

// encodeString writes the text of a string without its tag.
func encodeString(e *encoder, f *field, p unsafe.Pointer) *Error {
	s := *(*string)(p)
	if f.utf8 && !utf8.ValidString(s) {
		return wire.NewUnencodable(wire.DetailUTF8)
	}
	e.Text(s)
	return nil
}

func encodePlainString(e *encoder, f *field, p unsafe.Pointer) *Error {
	s := *(*string)(p)
	if s == f.defText && !f.always {
		return nil
	}
	if f.utf8 && !utf8.ValidString(s) {
		return wire.NewUnencodable(wire.DetailUTF8)
	}
	e.TextField(f.tag, s)
	return nil
}

func encodeBytes(e *encoder, f *field, p unsafe.Pointer) *Error {
	b := *(*[]byte)(p)
	if f.utf8 && !utf8.Valid(b) {
		return wire.NewUnencodable(wire.DetailUTF8)
	}
	e.Text(unsafe.String(unsafe.SliceData(b), len(b)))
	return nil
}

// encodePlainBytes writes a []byte, which is not set if it is nil.
func encodePlainBytes(e *encoder, f *field, p unsafe.Pointer) *Error {
	b := *(*[]byte)(p)
	switch {
	case b == nil && f.required:
		return e.addMissing(f)
	case len(b) == 0 && !f.always && (b == nil || !f.present):
		return nil
	}
	if err := encodeBytes(e, f, p); err != nil {
		return err
	}
	e.Varint(f.tag)
	return nil
}

func encodeStrings(e *encoder, f *field, p unsafe.Pointer) *Error {
	list := *(*[]string)(p)
	for i := len(list) - 1; i >= 0; i-- {
		s := list[i]
		if f.utf8 && !utf8.ValidString(s) {
			return wire.NewUnencodable(wire.DetailUTF8).Elem(i)
		}
		e.TextField(f.tag, s)
	}
	return nil
}
