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

// mayHaveRequired reports whether a message of the type, or one below it, may have
// required fields.
func (t *Type) mayHaveRequired() bool {
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

// reachesRequired looks for required fields in the types that md contains, without
// recursion, as there may be a million. It returns true if there are more than
// maxReach types, or extensions, which may have required fields.
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
	var c requiredChecker
	c.message(m, maxProtoDepth)
	if len(c.paths) == 0 {
		return nil
	}
	return &wire.RequiredError{Message: m.typ.md.FullName(), Paths: c.paths}
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

// requiredChecker collects the required fields that are not set in a message. The
// path grows and shrinks in place, as a long path may have many messages below it.
type requiredChecker struct {
	path  []byte
	paths []string // of the fields that are not set
	deep  bool     // a message contains itself
}

// enough reports whether the search can stop.
func (c *requiredChecker) enough() bool { return c.deep || len(c.paths) >= wire.MaxMissing }

// in calls visit with a field, or an element in brackets, at the end of the path.
func (c *requiredChecker) in(part string, visit func()) {
	n := len(c.path)
	if n > 0 && part[0] != '[' {
		c.path = append(c.path, '.')
	}
	c.path = append(c.path, part...)
	visit()
	c.path = c.path[:n]
}

// message checks a message.
func (c *requiredChecker) message(m *Message, depth int) {
	if !m.typ.mayHaveRequired() {
		return
	}
	if depth == 0 {
		c.deep = true
		return
	}
	for i := range m.typ.fields {
		f := &m.typ.fields[i]
		switch {
		case c.enough():
			return
		case m.has(f):
			if f.isRef() && f.class == message {
				c.in(f.name(), func() { c.ref(*m.ref(f), depth-1) })
			}
		case f.fd.Cardinality() == protoreflect.Required:
			c.in(f.name(), func() { c.paths = append(c.paths, string(c.path)) })
		}
	}
	if m.extra == nil {
		return
	}
	for i := range m.extra.extensions {
		if x := &m.extra.extensions[i]; x.xd.Message() != nil {
			c.in("["+string(x.xd.FullName())+"]", func() { c.extension(x, depth-1) })
		}
	}
}

// ref checks the value of a field.
func (c *requiredChecker) ref(ref any, depth int) {
	switch v := ref.(type) {
	case *Message:
		c.message(v, depth)
	case *messageList:
		if !v.f.messageType().mayHaveRequired() {
			return
		}
		for i, m := range v.v {
			if c.enough() {
				return
			}
			c.in(index(i), func() { c.message(m, depth) })
		}
	case mapping:
		if f := v.of().value; f.class != message || !f.messageType().mayHaveRequired() {
			return
		}
		v.eachMessage(func(key scalar, m *Message) {
			if !c.enough() {
				c.in("["+v.of().key.label(key)+"]", func() { c.message(m, depth) })
			}
		})
	}
}

// extension checks an extension whose values are messages of any implementation.
func (c *requiredChecker) extension(x *extension, depth int) {
	if !x.xd.IsList() {
		c.foreign(x.value.Message(), depth)
		return
	}
	for i := range x.value.List().Len() {
		if c.enough() {
			return
		}
		c.in(index(i), func() { c.foreign(x.value.List().Get(i).Message(), depth) })
	}
}

func (c *requiredChecker) foreign(m protoreflect.Message, depth int) {
	if m, ok := asMessage(m); ok {
		c.message(m, depth)
		return
	}
	if !c.enough() && proto.CheckInitialized(m.Interface()) != nil {
		c.paths = append(c.paths, string(c.path))
	}
}

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }
