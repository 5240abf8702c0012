package dynamic

import (
	"cmp"
	"slices"
	"sync/atomic"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// Type is a message type, compiled. It implements protoreflect.MessageType.
//
// A message of the type has three slices. nums begins with the presence bits,
// one for each field in the order in which they are written. After them is a word
// for each number. strs has a slot for each string, refs for each other value.
type Type struct {
	types *Types
	md    protoreflect.MessageDescriptor
	zero  *Message

	fields  []field  // in the order in which they are written; the index is the presence bit
	byIndex []*field // in the order of the descriptor

	words int // of presence bits
	nums  int // lengths of a message's slices
	strs  int
	refs  int

	actions []action // what to do with a tag; actions[0] is for unknown tags
	dense   []uint32 // the action of each tag up to denseTags
	sparse  map[uint32]uint32

	required []uint64 // the presence bits of the required fields; nil if there are none
	extended bool     // the message may have extensions
	reach    atomic.Uint32
}

// hasParts reports whether messages of the type may hold more than numbers and
// strings.
func (t *Type) hasParts() bool { return t.refs > 0 || t.extended }

// denseTags bounds the direct table: field numbers up to 127.
const denseTags = 128 << 3

// action says what the decoder does with a tag.
type action struct {
	*field
	op op
}

// op says how a value is read: its wire type, and where it is stored.
type op uint8

const (
	opUnknown op = iota
	opVarint
	opFixed32
	opFixed64
	opText
	opBlob
	opMessage
	opGroup
	opListVarint
	opListFixed32
	opListFixed64
	opListText
	opListBlob
	opListMessage
	opListGroup
	opPackedVarint
	opPackedFixed32
	opPackedFixed64
	opMap
)

// opLists is the distance from the op of a single value to that of a list.
const opLists = opListVarint - opVarint

// opPacked is the distance from the op of a number to that of a packed list.
const opPacked = opPackedVarint - opVarint

// action returns what to do with a tag, nil if it is unknown.
func (t *Type) action(tag uint64) *action {
	if tag < uint64(len(t.dense)) {
		return &t.actions[t.dense[tag]]
	}
	return &t.actions[t.sparse[uint32(tag)]]
}

// compile makes the type of a descriptor. The types of nested messages are compiled
// later, when they are needed.
func compile(ts *Types, md protoreflect.MessageDescriptor) *Type {
	t := &Type{types: ts, md: md, extended: md.ExtensionRanges().Len() > 0}
	t.zero = &Message{typ: t}
	descriptors := md.Fields()
	n := descriptors.Len()
	order := make([]protoreflect.FieldDescriptor, n)
	for i := range order {
		order[i] = descriptors.Get(i)
	}
	slices.SortFunc(order, func(a, b protoreflect.FieldDescriptor) int {
		return cmp.Or(cmp.Compare(oneofRank(a), oneofRank(b)), cmp.Compare(a.Number(), b.Number()))
	})
	t.words = max(1, (n+63)/64)
	t.nums = t.words
	t.fields = make([]field, n)
	t.byIndex = make([]*field, n)
	for i, fd := range order {
		f := &t.fields[i]
		f.init(ts, fd)
		f.bit = int32(i)
		t.place(f)
		t.byIndex[fd.Index()] = f
	}
	t.linkOneofs()
	t.buildActions()
	return t
}

// oneofRank returns the rank by which generated code orders fields: first those
// outside of oneofs, by their numbers, then the members of each oneof.
func oneofRank(fd protoreflect.FieldDescriptor) int {
	if od := fd.ContainingOneof(); od != nil && !od.IsSynthetic() {
		return 1 + od.Index()
	}
	return 0
}

// place gives a field its slot.
func (t *Type) place(f *field) {
	count := &t.refs
	if f.shape == single && f.class == number {
		count = &t.nums
	} else if f.shape == single && f.class == text {
		count = &t.strs
	}
	f.slot = int32(*count)
	*count++
	if f.fd.Cardinality() == protoreflect.Required {
		if t.required == nil {
			t.required = make([]uint64, t.words)
		}
		t.required[f.bit>>6] |= 1 << (f.bit & 63)
	}
}

// linkOneofs gives the members of each oneof the range of bits that the oneof has.
func (t *Type) linkOneofs() {
	for i := 0; i < len(t.fields); {
		od := t.fields[i].fd.ContainingOneof()
		if od == nil || od.IsSynthetic() {
			i++
			continue
		}
		first, last := i, i+od.Fields().Len()
		for ; i < last; i++ {
			t.fields[i].oneof = bitRange{int32(first), int32(last)}
		}
	}
}

func (t *Type) buildActions() {
	t.actions = make([]action, 1, 1+len(t.fields)+len(t.fields)/4)
	for i := range t.fields {
		f := &t.fields[i]
		one := opOf(f.kind)
		switch f.shape {
		case mapped:
			t.accept(f, opMap, protowire.BytesType)
		case repeated:
			t.accept(f, one+opLists, f.wire)
			if f.class == number {
				t.accept(f, one+opPacked, protowire.BytesType)
			}
		default:
			t.accept(f, one, f.wire)
		}
	}
}

func opOf(kind protoreflect.Kind) op {
	switch wire.TypeOf(kind) {
	case protowire.VarintType:
		return opVarint
	case protowire.Fixed32Type:
		return opFixed32
	case protowire.Fixed64Type:
		return opFixed64
	case protowire.StartGroupType:
		return opGroup
	}
	switch kind {
	case protoreflect.StringKind:
		return opText
	case protoreflect.BytesKind:
		return opBlob
	}
	return opMessage
}

func (t *Type) accept(f *field, op op, typ protowire.Type) {
	tag := protowire.EncodeTag(f.fd.Number(), typ)
	at := uint32(len(t.actions))
	t.actions = append(t.actions, action{f, op})
	if tag >= denseTags {
		if t.sparse == nil {
			t.sparse = make(map[uint32]uint32)
		}
		t.sparse[uint32(tag)] = at
		return
	}
	if n := int(tag) + 1; n > len(t.dense) {
		t.dense = slices.Grow(t.dense, n-len(t.dense))[:n]
	}
	t.dense[tag] = at
}

// fieldOf returns the field that fd describes, nil if it is an extension. It
// panics if fd is of another message.
func (t *Type) fieldOf(fd protoreflect.FieldDescriptor) *field {
	if i := fd.Index(); i < len(t.byIndex) && t.byIndex[i].fd == fd {
		return t.byIndex[i]
	}
	return t.extensionField(fd)
}

// extensionField returns nil if fd is an extension of the message. Otherwise it
// panics.
func (t *Type) extensionField(fd protoreflect.FieldDescriptor) *field {
	if fd.IsExtension() && fd.ContainingMessage().FullName() == t.md.FullName() {
		if _, ok := fd.(protoreflect.ExtensionTypeDescriptor); !ok {
			panic("dynamic: the extension " + string(fd.FullName()) + " has a descriptor without a type")
		}
		return nil
	}
	panic("dynamic: " + string(fd.FullName()) + " is not a field of this " + string(t.md.FullName()))
}
