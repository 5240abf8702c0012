package structs

import (
	"reflect"
	"strconv"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// plan says how one message type is read into one Go type and written from it.
// Plans of recursive messages point at each other.
type plan struct {
	md       protoreflect.MessageDescriptor
	typ      reflect.Type // the Go type of the message: a struct, or e.g. string for a StringValue
	slice    reflect.Type // []typ, through which blocks of typ are allocated
	size     uintptr
	perBlock int     // how many make maxBlockBytes
	index    int     // of the block that the decoder hands out messages of typ from
	leaf     leaf    // reads and writes the message instead of the fields, if set
	fields   []field // by field number

	// Two tables map a tag to its field. A tag that is in neither is an unknown
	// field, by its number or by its wire type.
	dense  []*field
	sparse map[uint32]*field

	inits        []func(p unsafe.Pointer) // set what is not zero in an empty message
	oneofs       [][]*field               // members of each oneof of which two or more are bound
	required     []required
	seenAll      uint64 // the field.seen bits of all required fields
	hasRequired  bool   // required fields in it or below
	manyRequired bool   // more required fields than bits
	strict       bool   // required fields or defaults in it or below: see isZero
	keepsUnknown bool   // unknown fields are kept at offset unknown
	unknown      uintptr
}

// required is a required field of a message, bound or not.
type required struct {
	name string
	num  protowire.Number
}

// leaf reads and writes messages that are not laid out field by field, such as
// time.Time. The value at p may hold an earlier occurrence, into which b merges.
type leaf interface {
	decode(d *decoder, p unsafe.Pointer, b []byte) *Error
	encode(e *encoder, p unsafe.Pointer) *Error
	isZero(p unsafe.Pointer) bool
}

// field is one message field bound to one Go field.
//
// The functions are chosen for the pair of types when the plan is compiled. p
// is the address of the Go field (in the functions that are named elem*, of one
// element of it).
type field struct {
	off  uintptr
	name string

	// decodeBits takes the varint, fixed32 and fixed64 wire types; it returns
	// false when the number is not one of a closed enum. decodeBytes takes the
	// content of length-prefixed values, and groups; it returns errUnknown
	// where decodeBits returns false.
	decodeBits  func(d *decoder, f *field, p unsafe.Pointer, x uint64) bool
	decodeBytes func(d *decoder, f *field, p unsafe.Pointer, b []byte) *Error
	elemBits    func(d *decoder, f *field, p unsafe.Pointer, x uint64) bool
	elemBytes   func(d *decoder, f *field, p unsafe.Pointer, b []byte) *Error

	// encode writes the field with its tag, or nothing when it is not set.
	// elemEncode writes one value without tag.
	encode     func(e *encoder, f *field, p unsafe.Pointer) *Error
	elemEncode func(e *encoder, f *field, p unsafe.Pointer) *Error

	owner  *plan
	sub    *plan // of message fields, and of the entries of maps
	tag    uint64
	tagLen uint8
	wire   protowire.Type // of one element
	conv   conv
	load   load
	elem   uint8 // bytes of a scalar in Go: 1, 4 or 8
	seen   uint64

	utf8     bool // strings are checked
	required bool
	unbound  bool // required, but the struct has no field for it
	pointer  bool // the Go field, or the value of the map, is a pointer
	nilable  bool // the Go type of a message is a slice, map or interface
	always   bool // written even when zero: required fields, keys and values of maps
	present  bool // the field has presence
	counted  bool // a list or map: the decoder counts a run of it in advance
	group    bool
	packed   bool

	text     bool   // a plain string that is no enum: encode is encodePlainString
	plain    bool   // a plain value: no pointer, slice or map
	def      uint64 // the default as it would be written: a plain value that equals it is not
	defWire  uint64 // the same as it would be read
	defText  string // the same of strings
	enum     *enum
	rivals   []*field // the other members of its oneof
	oneof    string
	maps     mapOps
	scratch  int // index of the scratch entry of a map
	goType   reflect.Type
	elemType reflect.Type
}

func (f *field) segment(index int) string {
	if index == noIndex {
		return f.name
	}
	return f.name + "[" + strconv.Itoa(index) + "]"
}

// denseTags bounds the direct table: field numbers up to 127.
const denseTags = 1024

// lookup returns the field that takes the tag, or nil.
func (pl *plan) lookup(tag uint64) *field {
	if tag < uint64(len(pl.dense)) {
		return pl.dense[tag]
	}
	return pl.lookupSparse(tag)
}

func (pl *plan) lookupSparse(tag uint64) *field {
	if pl.sparse == nil || tag > 1<<32-1 {
		return nil
	}
	return pl.sparse[uint32(tag)]
}

// buildTables makes the tables from the fields, which are complete and sorted.
func (pl *plan) buildTables() {
	for i := range pl.fields {
		f := &pl.fields[i]
		f.owner = pl
		num := protowire.Number(f.tag >> 3)
		if f.decodeBits != nil {
			pl.accept(f, protowire.EncodeTag(num, f.wire))
		}
		if f.decodeBytes != nil {
			wire := protowire.BytesType
			if f.group {
				wire = protowire.StartGroupType
			}
			pl.accept(f, protowire.EncodeTag(num, wire))
		}
	}
}

func (pl *plan) accept(f *field, tag uint64) {
	if tag >= denseTags {
		if pl.sparse == nil {
			pl.sparse = make(map[uint32]*field)
		}
		pl.sparse[uint32(tag)] = f
		return
	}
	if n := int(tag) + 1 - len(pl.dense); n > 0 {
		pl.dense = append(pl.dense, make([]*field, n)...)
	}
	pl.dense[tag] = f
}

// init turns zeroed memory into an empty message: defaults that are not zero.
func (pl *plan) init(p unsafe.Pointer) {
	for _, set := range pl.inits {
		set(p)
	}
}

// isZero reports whether a message held as a plain value counts as absent, before
// it is written. It matters only if required fields or defaults would make a zero
// struct a non-empty message or an error. Otherwise an absent message is
// recognized by its size after it is written, which costs nothing.
func (pl *plan) isZero(p unsafe.Pointer) bool {
	if pl.leaf != nil {
		return pl.leaf.isZero(p)
	}
	return pl.strict && reflect.NewAt(pl.typ, p).Elem().IsZero()
}

// enum has the names of an enum, to read and write it by name and to recognize the
// numbers that a closed enum does not have.
type enum struct {
	closed  bool
	names   map[int32]string
	numbers map[string]int32
	zero    int32 // the default of the enum: its first value
}

func newEnum(ed protoreflect.EnumDescriptor) *enum {
	values := ed.Values()
	en := &enum{
		closed:  ed.IsClosed(),
		names:   make(map[int32]string, values.Len()),
		numbers: make(map[string]int32, values.Len()),
		zero:    int32(values.Get(0).Number()),
	}
	for i := range values.Len() {
		v := values.Get(i)
		n := int32(v.Number())
		if _, ok := en.names[n]; !ok {
			en.names[n] = string(v.Name())
		}
		en.numbers[string(v.Name())] = n
	}
	return en
}

func (en *enum) rejects(n int32) bool {
	if !en.closed {
		return false
	}
	_, ok := en.names[n]
	return !ok
}
