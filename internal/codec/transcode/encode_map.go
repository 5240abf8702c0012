package transcode

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

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
	twice := false // a key may occur twice
	for r := first; r != 0; r = e.records[r].next {
		x, err := e.entry(f, e.records[r])
		if err != nil {
			return 0, err
		}
		if f.value.enum != nil && x.value != 0 && !f.value.enum.has(e.bits(f.value, e.records[x.value].start)) {
			continue // an unknown field
		}
		e.entries = append(e.entries, x)
		twice = e.sink(f.keyField, e.entries[base:]) || twice
	}
	if len(e.entries)-base > maxSink {
		twice = true
		slices.SortStableFunc(e.entries[base:], func(a, b entry) int { return e.compareKeys(f.keyField, a, b) })
	}
	e.begin('{')
	end := len(e.entries)
	for i := base; i < end; i++ {
		x := e.entries[i]
		if twice && i+1 < end && e.compareKeys(f.keyField, x, e.entries[i+1]) == 0 {
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

// maxSink is the number of entries up to which a map is sorted while it is read.
const maxSink = 12

// sink moves the last entry of a small map behind all that are not greater, and reports whether
// one of them has the same key.
func (e *encoder) sink(f *field, entries []entry) bool {
	i := len(entries) - 1
	if i >= maxSink {
		return false
	}
	for x := entries[i]; i > 0; i-- {
		order := e.compareKeys(f, entries[i-1], x)
		if order <= 0 {
			return order == 0
		}
		entries[i], entries[i-1] = entries[i-1], x
	}
	return false
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
