package dynamic

import (
	"sync/atomic"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// field is one field of a message type, an extension, or the key or value of a
// map.
type field struct {
	// What reading and writing need comes first, in one line of the cache.
	tag   uint64   // with which it is written
	slot  int32    // index of its value among those of a message
	bit   int32    // its presence bit
	oneof bitRange // the presence bits of its oneof, if it is a member of one

	kind     protoreflect.Kind
	shape    shape
	class    class // of one value
	convert  convert
	wire     protowire.Type // of one value
	packed   bool
	group    bool
	implicit bool // a number or string that is present if it is not zero
	utf8     bool // strings are checked
	texts    bool // a map of strings to strings

	known map[int32]struct{} // the numbers of a closed enum

	fd      protoreflect.FieldDescriptor
	initial uint64 // the bits of a new number in a list or map

	types      *Types
	sub        atomic.Pointer[Type] // of a message: see messageType
	key, value *field               // of a map
	empty      protoreflect.Value   // what Get returns if the field is not set
}

// bitRange is a range of presence bits.
type bitRange struct{ first, end int32 }

// shape is how many values a field has.
type shape uint8

const (
	single shape = iota
	repeated
	mapped
)

// class is how values are stored: numbers as a uint64, text as a string, blobs as a
// []byte, and messages as a *Message.
type class uint8

const (
	number class = iota
	text
	blob
	message
)

// convert says how the bits of a number on the wire are stored. Zigzag numbers are
// stored unchanged.
type convert uint8

const (
	convertNone   convert = iota
	convertInt32          // cut to 32 bits with their sign
	convertUint32         // cut to 32 bits
	convertBool
)

func (f *field) init(ts *Types, fd protoreflect.FieldDescriptor) {
	f.fd, f.types, f.kind = fd, ts, fd.Kind()
	f.wire = wire.TypeOf(f.kind)
	f.group = f.wire == protowire.StartGroupType
	f.tag = protowire.EncodeTag(fd.Number(), f.wire)
	f.utf8 = wire.EnforcesUTF8(fd)
	f.setClass()
	if ed := fd.Enum(); ed != nil && ed.IsClosed() {
		f.known = make(map[int32]struct{}, ed.Values().Len())
		for i := range ed.Values().Len() {
			f.known[int32(ed.Values().Get(i).Number())] = struct{}{}
		}
	}
	switch {
	case fd.IsMap():
		f.shape, f.class = mapped, message
		f.key, f.value = new(field), new(field)
		f.key.init(ts, fd.MapKey())
		f.value.init(ts, fd.MapValue())
		f.value.delimit()
		f.delimit()
		f.texts = f.key.class == text && f.value.class == text
		f.empty = protoreflect.ValueOfMap(emptyMap{f})
	case fd.IsList():
		f.shape = repeated
		f.packed = fd.IsPacked()
		if f.packed {
			f.tag = protowire.EncodeTag(fd.Number(), protowire.BytesType)
		}
		f.empty = protoreflect.ValueOfList(emptyList{f})
		if ed := fd.Enum(); ed != nil {
			f.initial = uint64(ed.Values().Get(0).Number())
		}
	case f.class != message:
		f.implicit = !fd.HasPresence()
		f.empty = fd.Default()
		if f.class == number {
			f.initial = f.unboxNumber(f.empty)
		}
	}
}

func (f *field) setClass() {
	switch f.kind {
	case protoreflect.StringKind:
		f.class = text
	case protoreflect.BytesKind:
		f.class = blob
	case protoreflect.MessageKind, protoreflect.GroupKind:
		f.class = message
	case protoreflect.BoolKind:
		f.convert = convertBool
	case protoreflect.Int32Kind, protoreflect.EnumKind:
		f.convert = convertInt32
	case protoreflect.Uint32Kind, protoreflect.Sint32Kind:
		f.convert = convertUint32
	}
}

// delimit gives a message a length prefix: maps and their values are never groups,
// whatever features the file sets.
func (f *field) delimit() {
	if f.group {
		f.group, f.wire = false, protowire.BytesType
		f.tag = protowire.EncodeTag(f.fd.Number(), f.wire)
	}
}

// messageType returns the type of a message field. The first call compiles it.
func (f *field) messageType() *Type {
	if t := f.sub.Load(); t != nil {
		return t
	}
	t := f.types.Message(f.fd.Message())
	f.sub.Store(t)
	return t
}

// normal returns the bits of a number on the wire in the form that is stored.
func (f *field) normal(x uint64) uint64 {
	switch f.convert {
	case convertInt32:
		return uint64(int32(x))
	case convertUint32:
		return uint64(uint32(x))
	case convertBool:
		if x != 0 {
			return 1
		}
	}
	return x
}

// rejects reports whether x is a number that a closed enum does not have.
func (f *field) rejects(x uint64) bool {
	if f.known == nil {
		return false
	}
	_, ok := f.known[int32(x)]
	return !ok
}

// mark sets the presence bit among the nums of a message, and clears those of the
// other members of its oneof.
func (f *field) mark(nums []uint64) {
	if f.oneof.end != 0 {
		f.oneof.clear(nums)
	}
	nums[f.bit>>6] |= 1 << (f.bit & 63)
}

func (f *field) unmark(nums []uint64) { nums[f.bit>>6] &^= 1 << (f.bit & 63) }

func (b bitRange) clear(nums []uint64) {
	for i := b.first; i < b.end; i++ {
		nums[i>>6] &^= 1 << (i & 63)
	}
}

// setNumber stores a number among the nums of a message.
func (f *field) setNumber(nums []uint64, x uint64) {
	nums[f.slot] = x
	if x == 0 && f.implicit {
		f.unmark(nums)
	} else {
		f.mark(nums)
	}
}
