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
	var l lacking
	l.message(m, maxProtoDepth)
	if len(l.paths) == 0 {
		return nil
	}
	return &wire.RequiredError{Message: m.typ.md.FullName(), Paths: l.paths}
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

// lacking goes through a message for the required fields that are not set. The
// path grows and shrinks in place: there may be many messages below a long one.
type lacking struct {
	path  []byte
	paths []string // of what is not set
	deep  bool     // a message contains itself
}

// enough reports whether there is no use in going on.
func (l *lacking) enough() bool { return l.deep || len(l.paths) >= wire.MaxMissing }

// in calls visit with a field, or an element in brackets, at the end of the path.
func (l *lacking) in(part string, visit func()) {
	n := len(l.path)
	if n > 0 && part[0] != '[' {
		l.path = append(l.path, '.')
	}
	l.path = append(l.path, part...)
	visit()
	l.path = l.path[:n]
}

// message looks into a message.
func (l *lacking) message(m *Message, depth int) {
	if !m.typ.demands() {
		return
	}
	if depth == 0 {
		l.deep = true
		return
	}
	for i := range m.typ.fields {
		f := &m.typ.fields[i]
		switch {
		case l.enough():
			return
		case m.has(f):
			if f.isRef() && f.class == message {
				l.in(f.name(), func() { l.ref(*m.ref(f), depth-1) })
			}
		case f.fd.Cardinality() == protoreflect.Required:
			l.in(f.name(), func() { l.paths = append(l.paths, string(l.path)) })
		}
	}
	if m.extra == nil {
		return
	}
	for i := range m.extra.extensions {
		if x := &m.extra.extensions[i]; x.xd.Message() != nil {
			l.in("["+string(x.xd.FullName())+"]", func() { l.extension(x, depth-1) })
		}
	}
}

// ref looks into what a field has.
func (l *lacking) ref(ref any, depth int) {
	switch v := ref.(type) {
	case *Message:
		l.message(v, depth)
	case *messageList:
		if !v.f.messageType().demands() {
			return
		}
		for i, m := range v.v {
			if l.enough() {
				return
			}
			l.in(index(i), func() { l.message(m, depth) })
		}
	case mapping:
		if f := v.of().value; f.class != message || !f.messageType().demands() {
			return
		}
		v.eachMessage(func(key scalar, m *Message) {
			if !l.enough() {
				l.in("["+v.of().key.label(key)+"]", func() { l.message(m, depth) })
			}
		})
	}
}

// extension looks into an extension of messages, of whatever implementation.
func (l *lacking) extension(x *extension, depth int) {
	if !x.xd.IsList() {
		l.foreign(x.value.Message(), depth)
		return
	}
	for i := range x.value.List().Len() {
		if l.enough() {
			return
		}
		l.in(index(i), func() { l.foreign(x.value.List().Get(i).Message(), depth) })
	}
}

func (l *lacking) foreign(m protoreflect.Message, depth int) {
	if m, ok := own(m); ok {
		l.message(m, depth)
		return
	}
	if !l.enough() && proto.CheckInitialized(m.Interface()) != nil {
		l.paths = append(l.paths, string(l.path))
	}
}

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }
