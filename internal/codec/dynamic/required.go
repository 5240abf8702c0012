package dynamic

import (
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wire"
)

// What Type.reach holds.
const (
	reachUnknown uint32 = iota
	reachNothing
	reachRequired
)

// maxReach bounds how many types are looked at for required fields.
const maxReach = 1000

// demands reports whether a message of the type, or one below it, may have
// required fields.
func (t *Type) demands() bool {
	if r := t.reach.Load(); r != reachUnknown {
		return r == reachRequired
	}
	r := reachNothing
	if reachesRequired(t.md) {
		r = reachRequired
	}
	t.reach.Store(r)
	return r == reachRequired
}

// reachesRequired goes through the types that md leads to, without recursion:
// there may be a million of them. It stops at maxReach types, and says yes.
// Extensions may bring anything.
func reachesRequired(md protoreflect.MessageDescriptor) bool {
	seen := map[protoreflect.MessageDescriptor]bool{md: true}
	for queue := []protoreflect.MessageDescriptor{md}; len(queue) > 0; {
		md, queue = queue[0], queue[1:]
		if md.RequiredNumbers().Len() > 0 || md.ExtensionRanges().Len() > 0 || len(seen) > maxReach {
			return true
		}
		for i := range md.Fields().Len() {
			if sub := md.Fields().Get(i).Message(); sub != nil && !seen[sub] {
				seen[sub] = true
				queue = append(queue, sub)
			}
		}
	}
	return false
}

// requiredError returns a *wire.RequiredError that names the required fields that
// m and the messages in it lack, or nil.
func (m *Message) requiredError() error {
	var lacks []string
	m.missing("", maxDepth, &lacks)
	if len(lacks) == 0 {
		return nil
	}
	return &wire.RequiredError{Message: m.typ.md.FullName(), Paths: lacks}
}

// hasRequired reports whether the required fields of the message itself are set.
func (m *Message) hasRequired() bool {
	marks := m.marks()
	for w, want := range m.typ.required {
		if marks == nil || marks[w]&want != want {
			return false
		}
	}
	return true
}

// maxMissing bounds how many missing fields are named.
const maxMissing = 100

// missing appends the paths of the required fields that are not set.
func (m *Message) missing(path string, depth int, lacks *[]string) {
	if depth == 0 || !m.typ.demands() {
		return
	}
	for i := range m.typ.fields {
		f := &m.typ.fields[i]
		if len(*lacks) >= maxMissing {
			return
		}
		if !m.has(f) {
			if f.fd.Cardinality() == protoreflect.Required {
				*lacks = append(*lacks, wire.Join(path, f.name()))
			}
			continue
		}
		if f.isRef() {
			missingIn(*m.ref(f), wire.Join(path, f.name()), depth-1, lacks)
		}
	}
	if m.extra == nil {
		return
	}
	for _, x := range m.extra.extensions {
		label := wire.Join(path, "["+string(x.xd.FullName())+"]")
		switch {
		case x.xd.Message() == nil:
		case x.xd.IsList():
			for i := range x.value.List().Len() {
				missingInMessage(x.value.List().Get(i).Message(), index(label, i), depth-1, lacks)
			}
		default:
			missingInMessage(x.value.Message(), label, depth-1, lacks)
		}
	}
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// missingIn looks into what a field has.
func missingIn(ref any, path string, depth int, lacks *[]string) {
	switch v := ref.(type) {
	case *Message:
		v.missing(path, depth, lacks)
	case *messageList:
		if !v.f.messageType().demands() {
			return
		}
		for i, m := range v.v {
			m.missing(index(path, i), depth, lacks)
		}
	case mapping:
		if f := v.of().value; f.class == message && f.messageType().demands() {
			v.eachMessage(func(key scalar, m *Message) {
				m.missing(path+"["+v.of().key.label(key)+"]", depth, lacks)
			})
		}
	}
}

// missingInMessage looks into an extension of whatever implementation.
func missingInMessage(m protoreflect.Message, path string, depth int, lacks *[]string) {
	if m, ok := own(m); ok {
		m.missing(path, depth, lacks)
		return
	}
	if proto.CheckInitialized(m.Interface()) != nil {
		*lacks = append(*lacks, path)
	}
}
