package transcode

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// mapField reads an object and appends its members as entries of a map.
func (d *decoder) mapField(f *field) *Error {
	if d.space() != '{' {
		return d.mismatch(d.pos, wantedList(f))
	}
	d.pos++
	if d.maps == len(d.keys) {
		d.keys = append(d.keys, new(keySet))
	}
	keys := d.keys[d.maps]
	keys.reset()
	d.maps++
	for first := true; ; first = false {
		more, err := d.more('}', first)
		if err != nil {
			return err
		}
		if !more {
			d.maps--
			return nil
		}
		if err := d.entry(f, keys); err != nil {
			return err
		}
	}
}

// entry reads a member of a map and appends it. It may omit an entry with a
// null or an unknown enum name.
func (d *decoder) entry(f *field, keys *keySet) *Error {
	at := d.pos
	before := len(d.out)
	d.out = appendVarint(d.out, f.tag)
	start := d.open()
	key, err := d.key()
	if err != nil {
		return err
	}
	d.out = appendVarint(d.out, f.keyField.tag)
	first := len(d.out)
	if !d.mapKey(f.keyField, key) {
		return &Error{Expected: "keys of type " + f.keyField.kind.String(), Got: quoted(string(key)), offset: at}
	}
	if !keys.add(d.out[first:]) {
		return &Error{Problem: fmt.Sprintf("the key %s occurs twice", quoted(string(key))), offset: at}
	}
	ok, missing := true, len(d.missing)
	if f.value.message != nil {
		err = d.messageField(f.value)
	} else {
		d.out = appendVarint(d.out, f.value.tag)
		ok, err = d.scalar(f.value)
	}
	switch {
	case err != nil:
		return err.step(Step{Key: d.keyAt(at), Entry: true, Index: -1})
	case !ok:
		d.out = d.out[:before]
		keys.removeLast()
	default:
		d.close(start)
		if len(d.missing) != missing {
			d.missingIn(missing, Step{Key: d.keyAt(at), Entry: true, Index: -1})
		}
	}
	return nil
}

// mapKey appends the key of a map and reports whether it is valid.
func (d *decoder) mapKey(f *field, key []byte) bool {
	switch f.kind {
	case protoreflect.StringKind:
		d.out = appendVarint(d.out, uint64(len(key)))
		d.out = append(d.out, key...)
		return true
	case protoreflect.BoolKind:
		switch string(key) {
		case "true":
			d.out = append(d.out, 1)
		case "false":
			d.out = append(d.out, 0)
		default:
			return false
		}
		return true
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		n, err := strconv.ParseUint(string(key), 10, size(f.kind))
		d.appendNumber(f.kind, n)
		return err == nil
	default:
		n, err := strconv.ParseInt(string(key), 10, size(f.kind))
		d.appendNumber(f.kind, uint64(n))
		return err == nil
	}
}

// keySet detects duplicate keys of a map. Small sets are searched linearly;
// large ones are hash tables.
type keySet struct {
	bytes []byte // of all keys
	ends  []int  // of each key in bytes
	table []int32
	seed  maphash.Seed
}

// smallSet is the largest size that is searched linearly.
const smallSet = 8

func (s *keySet) reset() {
	if cap(s.bytes) > keptBuffer || len(s.table) > keptBuffer/4 {
		*s = keySet{}
	}
	s.bytes, s.ends, s.table = s.bytes[:0], s.ends[:0], s.table[:0]
}

func (s *keySet) get(i int) []byte {
	start := 0
	if i > 0 {
		start = s.ends[i-1]
	}
	return s.bytes[start:s.ends[i]]
}

// add adds a key. It reports false if the set already has it.
func (s *keySet) add(key []byte) bool {
	_, added := s.index(key)
	return added
}

// index returns the index of a key, and adds it if it is new.
func (s *keySet) index(key []byte) (i int, added bool) {
	n := len(s.ends)
	if n < smallSet {
		for i := range n {
			if bytes.Equal(s.get(i), key) {
				return i, false
			}
		}
	} else {
		if 2*n >= len(s.table) {
			s.rehash(4 * n)
		}
		slot := s.slot(key)
		if at := s.table[slot]; at != 0 {
			return int(at - 1), false
		}
		s.table[slot] = int32(n + 1)
	}
	s.bytes = append(s.bytes, key...)
	s.ends = append(s.ends, len(s.bytes))
	return n, true
}

// slot returns the position of a key in the table, or the position for
// inserting it.
func (s *keySet) slot(key []byte) int {
	mask := len(s.table) - 1
	i := int(maphash.Bytes(s.seed, key)) & mask
	for s.table[i] != 0 && !bytes.Equal(s.get(int(s.table[i]-1)), key) {
		i = (i + 1) & mask
	}
	return i
}

func (s *keySet) rehash(size int) {
	n := 2 * smallSet
	for n < size {
		n *= 2
	}
	s.seed = maphash.MakeSeed()
	s.table = append(s.table[:0], make([]int32, n)...)
	for i := range s.ends {
		s.table[s.slot(s.get(i))] = int32(i + 1)
	}
}

// removeLast removes the last added key.
func (s *keySet) removeLast() {
	n := len(s.ends) - 1
	if n >= smallSet {
		s.table[s.slot(s.get(n))] = 0 // no later key depends on this slot
	}
	s.bytes = s.bytes[:len(s.bytes)-len(s.get(n))]
	s.ends = s.ends[:n]
}
