package dynamic_test

import (
	"cmp"
	"errors"
	"maps"
	"math"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// node is a message as the oracle reads it: slowly, and as the specification says
// it. It has nothing in common with the code under test but the descriptors and
// the rule which strings are checked.
type node struct {
	md      protoreflect.MessageDescriptor
	fields  map[protoreflect.FieldNumber]*slot
	unknown []byte
}

// slot is a field that is there. Numbers are held as they are written.
type slot struct {
	fd      protoreflect.FieldDescriptor
	one     any         // uint64, string or *node
	list    []any       // of a repeated field
	entries map[any]any // of a map
}

// oracle reads messages and writes them as generated code does.
type oracle struct {
	extensions protoregistry.ExtensionTypeResolver // nil for none
	closed     bool                                // a number that a closed enum does not have was read
	signaling  bool                                // a float was a signaling NaN, which a protoreflect.Value cannot hold
}

var errOracle = errors.New("malformed")

const oracleDepth = 100

func (o *oracle) read(md protoreflect.MessageDescriptor, b []byte) (*node, error) {
	n := &node{md: md, fields: map[protoreflect.FieldNumber]*slot{}}
	return n, o.merge(n, b, 1)
}

// tag reads a tag, of five bytes and 32 bits at most.
func tag(b []byte) (protowire.Number, protowire.Type, int) {
	x, n := protowire.ConsumeVarint(b)
	if n < 1 || n > 5 || x > math.MaxUint32 || x>>3 == 0 {
		return 0, 0, -1
	}
	return protowire.Number(x >> 3), protowire.Type(x & 7), n
}

// value returns the length of the value that begins b, level being that of the
// message that it is in.
func value(b []byte, num protowire.Number, typ protowire.Type, level int) int {
	switch typ {
	case protowire.StartGroupType:
		if level+1 > oracleDepth {
			return -1
		}
		for n := 0; ; {
			inner, typ, k := tag(b[n:])
			if k < 0 {
				return -1
			}
			n += k
			if typ == protowire.EndGroupType {
				if inner != num {
					return -1
				}
				return n
			}
			if k = value(b[n:], inner, typ, level+1); k < 0 {
				return -1
			}
			n += k
		}
	case protowire.VarintType, protowire.Fixed32Type, protowire.Fixed64Type, protowire.BytesType:
		return protowire.ConsumeFieldValue(num, typ, b)
	}
	return -1
}

func (o *oracle) merge(n *node, b []byte, level int) error {
	if level > oracleDepth {
		return errOracle
	}
	for len(b) > 0 {
		num, typ, k := tag(b)
		if k < 0 {
			return errOracle
		}
		size := value(b[k:], num, typ, level)
		if size < 0 {
			return errOracle
		}
		raw, val := b[:k+size], b[k:k+size]
		b = b[k+size:]
		fd := n.md.Fields().ByNumber(num)
		if fd == nil {
			fd = o.extension(n.md, num)
		}
		known := false
		if fd != nil {
			var err error
			if known, err = o.field(n, fd, typ, val, level); err != nil {
				return err
			}
		}
		if !known {
			n.unknown = append(n.unknown, raw...)
		}
	}
	return nil
}

func (o *oracle) extension(md protoreflect.MessageDescriptor, num protoreflect.FieldNumber) protoreflect.FieldDescriptor {
	if o.extensions == nil || !md.ExtensionRanges().Has(num) {
		return nil
	}
	xt, err := o.extensions.FindExtensionByNumber(md.FullName(), num)
	if err != nil {
		return nil
	}
	return xt.TypeDescriptor()
}

func (o *oracle) field(n *node, fd protoreflect.FieldDescriptor, typ protowire.Type, val []byte, level int) (known bool, err error) {
	s := n.fields[fd.Number()]
	if s == nil {
		s = &slot{fd: fd, entries: map[any]any{}}
	}
	put := func() {
		if od := fd.ContainingOneof(); od != nil {
			for i := range od.Fields().Len() {
				delete(n.fields, od.Fields().Get(i).Number())
			}
		}
		n.fields[fd.Number()] = s
	}
	switch want := wireType(fd); {
	case fd.IsMap():
		if typ != protowire.BytesType {
			return false, nil
		}
		body, _ := protowire.ConsumeBytes(val)
		ok, err := o.entry(s, fd, body, level+1)
		if ok {
			put()
		}
		return ok, err
	case fd.IsList() && typ == protowire.BytesType && want != protowire.BytesType && want != protowire.StartGroupType:
		return true, o.packed(n, s, fd, val, put)
	case typ != want:
		return false, nil
	case fd.IsList():
		v, ok, err := o.single(fd, nil, val, level)
		if ok && err == nil {
			s.list = append(s.list, v)
			put()
		}
		return ok, err
	default:
		v, ok, err := o.single(fd, s.one, val, level)
		if !ok || err != nil {
			return ok, err
		}
		s.one = v
		put()
		if !fd.HasPresence() && isZero(v) {
			delete(n.fields, fd.Number())
		}
		return true, nil
	}
}

func isZero(v any) bool { return v == uint64(0) || v == "" }

// wireType is that of one value; values of maps are no groups.
func wireType(fd protoreflect.FieldDescriptor) protowire.Type {
	if fd.Message() != nil && fd.Kind() == protoreflect.GroupKind && !fd.IsMap() && !fd.ContainingMessage().IsMapEntry() {
		return protowire.StartGroupType
	}
	switch fd.Kind() {
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind, protoreflect.GroupKind:
		return protowire.BytesType
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.Fixed64Type
	}
	return protowire.VarintType
}

// single reads one value, a message merging into old.
func (o *oracle) single(fd protoreflect.FieldDescriptor, old any, val []byte, level int) (any, bool, error) {
	switch wireType(fd) {
	case protowire.VarintType:
		x, _ := protowire.ConsumeVarint(val)
		v, ok := o.number(fd, x)
		return v, ok, nil
	case protowire.Fixed32Type:
		x, _ := protowire.ConsumeFixed32(val)
		if f := math.Float32frombits(x); fd.Kind() == protoreflect.FloatKind && f != f && x&(1<<22) == 0 {
			o.signaling = true
		}
		return uint64(x), true, nil
	case protowire.Fixed64Type:
		x, _ := protowire.ConsumeFixed64(val)
		return x, true, nil
	case protowire.StartGroupType:
		body, _ := protowire.ConsumeGroup(fd.Number(), val)
		return o.nested(fd, old, body, level)
	}
	body, _ := protowire.ConsumeBytes(val)
	switch {
	case fd.Message() != nil:
		return o.nested(fd, old, body, level)
	case wire.EnforcesUTF8(fd) && !utf8.Valid(body):
		return nil, true, errOracle
	}
	return string(body), true, nil
}

func (o *oracle) nested(fd protoreflect.FieldDescriptor, old any, body []byte, level int) (any, bool, error) {
	n, _ := old.(*node)
	if n == nil {
		n = &node{md: fd.Message(), fields: map[protoreflect.FieldNumber]*slot{}}
	}
	return n, true, o.merge(n, body, level+1)
}

// number cuts a varint to what the field can hold.
func (o *oracle) number(fd protoreflect.FieldDescriptor, x uint64) (any, bool) {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		if x != 0 {
			x = 1
		}
	case protoreflect.EnumKind:
		if fd.Enum().IsClosed() && fd.Enum().Values().ByNumber(protoreflect.EnumNumber(int32(x))) == nil {
			o.closed = true
			return uint64(int64(int32(x))), false
		}
		x = uint64(int64(int32(x)))
	case protoreflect.Int32Kind:
		x = uint64(int64(int32(x)))
	case protoreflect.Uint32Kind, protoreflect.Sint32Kind:
		x = uint64(uint32(x))
	}
	return x, true
}

func (o *oracle) packed(n *node, s *slot, fd protoreflect.FieldDescriptor, val []byte, put func()) error {
	body, _ := protowire.ConsumeBytes(val)
	for len(body) > 0 {
		k := protowire.ConsumeFieldValue(fd.Number(), wireType(fd), body)
		if k < 0 {
			return errOracle
		}
		v, ok, _ := o.single(fd, nil, body[:k], 0)
		body = body[k:]
		if !ok {
			n.unknown = protowire.AppendTag(n.unknown, fd.Number(), protowire.VarintType)
			n.unknown = protowire.AppendVarint(n.unknown, v.(uint64))
			continue
		}
		s.list = append(s.list, v)
		put()
	}
	return nil
}

func (o *oracle) entry(s *slot, fd protoreflect.FieldDescriptor, body []byte, level int) (bool, error) {
	if level > oracleDepth {
		return true, errOracle
	}
	kd, vd := fd.MapKey(), fd.MapValue()
	key, val, ok := initial(kd), initial(vd), true
	for len(body) > 0 {
		num, typ, k := tag(body)
		if k < 0 {
			return true, errOracle
		}
		size := value(body[k:], num, typ, level)
		if size < 0 {
			return true, errOracle
		}
		raw := body[k : k+size]
		body = body[k+size:]
		var err error
		switch {
		case num == 1 && typ == wireType(kd):
			key, _, err = o.single(kd, nil, raw, level)
		case num == 2 && typ == wireType(vd):
			val, ok, err = o.single(vd, val, raw, level)
		}
		if err != nil {
			return true, err
		}
	}
	if ok {
		s.entries[key] = val
	}
	return ok, nil
}

func initial(fd protoreflect.FieldDescriptor) any {
	switch {
	case fd.Message() != nil:
		return &node{md: fd.Message(), fields: map[protoreflect.FieldNumber]*slot{}}
	case wireType(fd) == protowire.BytesType:
		return ""
	case fd.Enum() != nil:
		return uint64(int64(fd.Enum().Values().Get(0).Number()))
	}
	return uint64(0)
}

// write appends a message as generated code writes it deterministically.
func (n *node) write(b []byte) []byte {
	slots := slices.SortedFunc(maps.Values(n.fields), func(a, b *slot) int {
		return cmp.Or(-compareBools(a.fd.IsExtension(), b.fd.IsExtension()), cmp.Compare(place(a.fd), place(b.fd)), cmp.Compare(a.fd.Number(), b.fd.Number()))
	})
	for _, s := range slots {
		b = s.write(b)
	}
	return append(b, n.unknown...)
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// place is where a field is written: members of oneofs come last.
func place(fd protoreflect.FieldDescriptor) int {
	if od := fd.ContainingOneof(); od != nil && !od.IsSynthetic() {
		return 1 + od.Index()
	}
	return 0
}

func (s *slot) write(b []byte) []byte {
	switch {
	case s.fd.IsMap():
		keys := slices.SortedFunc(maps.Keys(s.entries), func(a, b any) int { return compareKeys(s.fd.MapKey(), a, b) })
		for _, key := range keys {
			entry := writeValue(writeValue(nil, s.fd.MapKey(), key), s.fd.MapValue(), s.entries[key])
			b = protowire.AppendBytes(protowire.AppendTag(b, s.fd.Number(), protowire.BytesType), entry)
		}
	case s.fd.IsPacked():
		var body []byte
		for _, v := range s.list {
			body = writeBare(body, s.fd, v)
		}
		if len(body) > 0 {
			b = protowire.AppendBytes(protowire.AppendTag(b, s.fd.Number(), protowire.BytesType), body)
		}
	case s.fd.IsList():
		for _, v := range s.list {
			b = writeValue(b, s.fd, v)
		}
	default:
		b = writeValue(b, s.fd, s.one)
	}
	return b
}

func compareKeys(fd protoreflect.FieldDescriptor, a, b any) int {
	if s, ok := a.(string); ok {
		return cmp.Compare(s, b.(string))
	}
	x, y := a.(uint64), b.(uint64)
	switch fd.Kind() {
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return cmp.Compare(protowire.DecodeZigZag(x), protowire.DecodeZigZag(y))
	case protoreflect.Int32Kind, protoreflect.Int64Kind, protoreflect.Sfixed64Kind:
		return cmp.Compare(int64(x), int64(y))
	case protoreflect.Sfixed32Kind:
		return cmp.Compare(int32(x), int32(y))
	}
	return cmp.Compare(x, y)
}

func writeValue(b []byte, fd protoreflect.FieldDescriptor, v any) []byte {
	b = protowire.AppendTag(b, fd.Number(), wireType(fd))
	if wireType(fd) == protowire.StartGroupType {
		return protowire.AppendTag(v.(*node).write(b), fd.Number(), protowire.EndGroupType)
	}
	return writeBare(b, fd, v)
}

func writeBare(b []byte, fd protoreflect.FieldDescriptor, v any) []byte {
	switch v := v.(type) {
	case *node:
		return protowire.AppendBytes(b, v.write(nil))
	case string:
		return protowire.AppendString(b, v)
	case uint64:
		switch wireType(fd) {
		case protowire.Fixed32Type:
			return protowire.AppendFixed32(b, uint32(v))
		case protowire.Fixed64Type:
			return protowire.AppendFixed64(b, v)
		}
		return protowire.AppendVarint(b, v)
	}
	panic("not a value")
}

// lacks reports whether a required field is not there, in n or below it.
func (n *node) lacks() bool {
	for i := range n.md.RequiredNumbers().Len() {
		if n.fields[n.md.RequiredNumbers().Get(i)] == nil {
			return true
		}
	}
	below := func(v any) bool {
		sub, ok := v.(*node)
		return ok && sub.lacks()
	}
	for _, s := range n.fields {
		if below(s.one) || slices.ContainsFunc(s.list, below) || slices.ContainsFunc(slices.Collect(maps.Values(s.entries)), below) {
			return true
		}
	}
	return false
}
