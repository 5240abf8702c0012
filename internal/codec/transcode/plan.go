package transcode

import (
	"math"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
	"github.com/dyngate/dyngate/internal/codec/wire"
)

// Plans are the plans of the message types of one import closure. Its methods
// are safe for concurrent use.
type Plans struct {
	types      wire.Types
	plans      sync.Map // protoreflect.MessageDescriptor: *Plan
	extensions sync.Map // protoreflect.ExtensionTypeDescriptor: *field
	enums      sync.Map // protoreflect.EnumDescriptor: *enum
}

// NewPlans returns empty Plans. types resolves extensions and the messages in
// google.protobuf.Any. Nil means protoregistry.GlobalTypes.
func NewPlans(types wire.Types) *Plans {
	if types == nil {
		types = protoregistry.GlobalTypes
	}
	return &Plans{types: types}
}

// Plan returns the plan of a message type. The first use compiles it; plans of
// nested types are compiled when they are needed.
func (s *Plans) Plan(md protoreflect.MessageDescriptor) *Plan {
	if p, ok := s.plans.Load(md); ok {
		return p.(*Plan) //nolint:forcetypeassert // nothing else is stored
	}
	p, _ := s.plans.LoadOrStore(md, s.compile(md))
	return p.(*Plan) //nolint:forcetypeassert // nothing else is stored
}

// Plan transcodes messages of one type. It is safe for concurrent use.
type Plan struct {
	desc  protoreflect.MessageDescriptor
	plans *Plans
	kind  wellknown.Kind

	fields   []*field // in declaration order
	byName   map[string]*field
	byNumber []*field // by small numbers
	sparse   map[protowire.Number]*field
	oneofs   int
	words    int      // of the bits for fields and oneofs
	required []*field // of proto2 and editions

	disorder atomic.Bool // messages came with fields out of order
}

// field is a field of a plan, an extension, or the key or value of a map.
type field struct {
	desc     protoreflect.FieldDescriptor
	name     string         // in JSON
	member   string         // name as a JSON key that follows other members, with comma, quotes and colon
	jsonKey  string         // member without the comma
	short    [shortKey]byte // member, if it is not longer
	protoKey string         // the same for the name in the schema
	index    int            // in Plan.fields; -1 for extensions
	oneof    int            // the index of its oneof's bit; -1 for none
	kind     protoreflect.Kind
	tag      uint64 // of one unpacked element
	packed   uint64 // the tag of all elements together; 0 if they are not packed on output
	list     bool
	repeated bool // list or map
	presence bool // zero is not the same as absent
	required bool
	utf8     bool // replaced values must be valid UTF-8 too

	keyField, value *field // of a map
	enum            *enum
	message         *nested // nil for scalars
	isValue         bool    // google.protobuf.Value
	isNull          bool    // google.protobuf.NullValue
}

// shortKey is the size up to which keys are copied in one step.
const shortKey = 24

// nested is the message type of a field. Its plan is compiled when it is first
// needed, because types may contain each other.
type nested struct {
	desc  protoreflect.MessageDescriptor
	plans *Plans
	plan  atomic.Pointer[Plan]
}

func (n *nested) get() *Plan {
	p := n.plan.Load()
	if p == nil {
		p = n.plans.Plan(n.desc)
		n.plan.Store(p)
	}
	return p
}

// enum holds the names of an enum.
type enum struct {
	desc    protoreflect.EnumDescriptor
	closed  bool // other numbers are unknown fields
	numbers map[string]int32
	names   map[int32]string
}

// denseLimit limits the field numbers that are found by index.
const denseLimit = 256

func (s *Plans) compile(md protoreflect.MessageDescriptor) *Plan {
	fields := md.Fields()
	p := &Plan{
		desc: md, plans: s, kind: knownKind(md),
		byName: make(map[string]*field, 2*fields.Len()),
	}
	for i := range fields.Len() {
		p.add(s.newField(fields.Get(i), i))
	}
	for _, f := range p.fields { // names of the schema that are not JSON names
		if _, taken := p.byName[f.desc.TextName()]; !taken {
			p.byName[f.desc.TextName()] = f
		}
	}
	p.oneofs = md.Oneofs().Len()
	p.words = (len(p.fields) + p.oneofs + 63) / 64
	return p
}

func (p *Plan) add(f *field) {
	p.fields = append(p.fields, f)
	if _, taken := p.byName[f.name]; !taken {
		p.byName[f.name] = f
	}
	if f.required {
		p.required = append(p.required, f)
	}
	number := f.desc.Number()
	if number >= denseLimit {
		if p.sparse == nil {
			p.sparse = make(map[protowire.Number]*field)
		}
		p.sparse[number] = f
		return
	}
	if int(number) >= len(p.byNumber) {
		p.byNumber = append(p.byNumber, make([]*field, int(number)+1-len(p.byNumber))...)
	}
	p.byNumber[number] = f
}

// number returns the field with a number, or nil.
func (p *Plan) number(n uint64) *field {
	if n < uint64(len(p.byNumber)) {
		return p.byNumber[n]
	}
	if n > math.MaxInt32 {
		return nil
	}
	return p.sparse[protowire.Number(n)]
}

func (s *Plans) newField(fd protoreflect.FieldDescriptor, index int) *field {
	f := &field{
		desc: fd, name: fd.JSONName(), index: index, oneof: -1, kind: fd.Kind(),
		list: fd.IsList(), repeated: fd.IsList() || fd.IsMap(), presence: fd.HasPresence(), required: fd.Cardinality() == protoreflect.Required,
		utf8: fd.Kind() == protoreflect.StringKind && wire.EnforcesUTF8(fd),
	}
	if fd.IsExtension() {
		f.name = "[" + string(fd.FullName()) + "]"
	}
	f.member = "," + quotedKey(f.name)
	f.jsonKey = f.member[1:]
	copy(f.short[:], f.member)
	if f.protoKey = quotedKey(fd.TextName()); fd.IsExtension() {
		f.protoKey = f.jsonKey
	}
	number := uint64(fd.Number()) << 3
	f.tag = number | uint64(wire.TypeOf(f.kind))
	if fd.IsPacked() {
		f.packed = number | uint64(protowire.BytesType)
	}
	if o := fd.ContainingOneof(); o != nil {
		f.oneof = fd.ContainingMessage().Fields().Len() + o.Index()
	}
	switch {
	case fd.IsMap():
		f.keyField, f.value = s.newField(fd.MapKey(), 0), s.newField(fd.MapValue(), 1)
	case fd.Message() != nil:
		f.isValue = knownKind(fd.Message()) == wellknown.Value
		f.message = &nested{desc: fd.Message(), plans: s}
	case fd.Enum() != nil:
		f.enum, f.isNull = s.enum(fd.Enum()), wellknown.IsNull(fd)
	}
	return f
}

// enum returns the names of an enum.
func (s *Plans) enum(ed protoreflect.EnumDescriptor) *enum {
	if e, ok := s.enums.Load(ed); ok {
		return e.(*enum) //nolint:forcetypeassert // the map has only enums
	}
	e, _ := s.enums.LoadOrStore(ed, newEnum(ed))
	return e.(*enum) //nolint:forcetypeassert // the map has only enums
}

func newEnum(ed protoreflect.EnumDescriptor) *enum {
	values := ed.Values()
	e := &enum{desc: ed, closed: ed.IsClosed(), numbers: make(map[string]int32, values.Len()), names: make(map[int32]string, values.Len())}
	for i := range values.Len() {
		v := values.Get(i)
		number := int32(v.Number())
		e.numbers[string(v.Name())] = number
		if _, alias := e.names[number]; !alias {
			e.names[number] = string(v.Name())
		}
	}
	return e
}

// extension returns the field of an extension.
func (s *Plans) extension(xd protoreflect.ExtensionTypeDescriptor) *field {
	if f, ok := s.extensions.Load(xd); ok {
		return f.(*field) //nolint:forcetypeassert // nothing else is stored
	}
	f, _ := s.extensions.LoadOrStore(xd, s.newField(xd, -1))
	return f.(*field) //nolint:forcetypeassert // nothing else is stored
}

// names returns the JSON names of the fields for errors.
func (p *Plan) names() []string {
	names := make([]string, len(p.fields))
	for i, f := range p.fields {
		names[i] = f.name
	}
	return names
}
