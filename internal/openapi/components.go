package openapi

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// component is a schema that others refer to: of a message or an enum.
type component struct {
	name    string
	desc    protoreflect.Descriptor
	without without
}

// without are the fields that are missing from a message, because they are in the path
// of the request: "name", or "book.name".
type without []string

// of returns the fields that are missing from the message in a field.
func (w without) of(fd protoreflect.FieldDescriptor) (inner without) {
	for _, path := range w {
		if rest, ok := strings.CutPrefix(path, string(fd.Name())+"."); ok {
			inner = append(inner, rest)
		}
	}
	return inner
}

func (w without) has(fd protoreflect.FieldDescriptor) bool {
	return slices.Contains(w, string(fd.Name()))
}

// components are the schemas that a document refers to, with names that are unique.
type components struct {
	all    []*component // in the order of their first use
	byKey  map[componentKey]*component
	byName map[protoreflect.FullName][]protoreflect.Descriptor // different types of the same full name
	known  map[protoreflect.Descriptor]string                  // their names
}

type componentKey struct{ name, without string }

func newComponents() *components {
	return &components{
		byKey: make(map[componentKey]*component), byName: make(map[protoreflect.FullName][]protoreflect.Descriptor),
		known: make(map[protoreflect.Descriptor]string),
	}
}

const schemas = "#/components/schemas/"

// ref returns a reference to the schema of a message or enum.
func (c *components) ref(d protoreflect.Descriptor) object { return c.refWithout(d, nil) }

func (c *components) refWithout(d protoreflect.Descriptor, missing without) object {
	key := componentKey{c.nameOf(d), strings.Join(missing, "-")}
	found := c.byKey[key]
	if found == nil {
		found = &component{name: key.name, desc: d, without: missing}
		if len(missing) > 0 {
			found.name += "-without-" + key.without
		}
		c.byKey[key] = found
		c.all = append(c.all, found)
	}
	return obj("$ref", schemas+found.name)
}

// nameOf returns the name of a type. Types of the same name and shape, such as those
// of one file under two paths, are one.
func (c *components) nameOf(d protoreflect.Descriptor) string {
	if name, ok := c.known[d]; ok {
		return name
	}
	others := c.byName[d.FullName()]
	for _, other := range others {
		if (&comparison{}).same(d, other) {
			c.known[d] = c.known[other]
			return c.known[d]
		}
	}
	name := string(d.FullName())
	if len(others) > 0 {
		name = fmt.Sprintf("%s-%d", name, len(others)+1)
	}
	c.byName[d.FullName()] = append(others, d)
	c.known[d] = name
	return name
}

// comparison compares types, which may contain themselves.
type comparison struct {
	assumed map[[2]protoreflect.Descriptor]bool
}

func (c *comparison) same(a, b protoreflect.Descriptor) bool {
	pair := [2]protoreflect.Descriptor{a, b}
	if a == b || c.assumed[pair] {
		return true
	}
	if c.assumed == nil {
		c.assumed = make(map[[2]protoreflect.Descriptor]bool)
	}
	c.assumed[pair] = true
	switch a := a.(type) {
	case protoreflect.EnumDescriptor:
		b, ok := b.(protoreflect.EnumDescriptor)
		return ok && sameEnum(a, b)
	case protoreflect.MessageDescriptor:
		b, ok := b.(protoreflect.MessageDescriptor)
		return ok && c.sameMessage(a, b)
	}
	return false
}

func sameEnum(a, b protoreflect.EnumDescriptor) bool {
	if a.FullName() != b.FullName() || a.IsClosed() != b.IsClosed() || a.Values().Len() != b.Values().Len() {
		return false
	}
	for i := range a.Values().Len() {
		v, w := a.Values().Get(i), b.Values().Get(i)
		if v.Name() != w.Name() || v.Number() != w.Number() {
			return false
		}
	}
	return true
}

func (c *comparison) sameMessage(a, b protoreflect.MessageDescriptor) bool {
	if a.FullName() != b.FullName() || a.Fields().Len() != b.Fields().Len() ||
		a.ExtensionRanges().Len() > 0 || b.ExtensionRanges().Len() > 0 || !sameOptions(a, b) {
		return false
	}
	for i := range a.Fields().Len() {
		if !c.sameField(a.Fields().Get(i), b.Fields().Get(i)) {
			return false
		}
	}
	return true
}

func (c *comparison) sameField(a, b protoreflect.FieldDescriptor) bool {
	if a.Name() != b.Name() || a.JSONName() != b.JSONName() || a.Kind() != b.Kind() || a.Cardinality() != b.Cardinality() ||
		a.IsMap() != b.IsMap() || !sameOneof(a.ContainingOneof(), b.ContainingOneof()) || !sameOptions(a, b) {
		return false
	}
	if a.Message() != nil {
		return c.same(a.Message(), b.Message())
	}
	return a.Enum() == nil || c.same(a.Enum(), b.Enum())
}

func sameOneof(a, b protoreflect.OneofDescriptor) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Name() == b.Name() && sameOptions(a, b)
}

func sameOptions(a, b protoreflect.Descriptor) bool {
	return bytes.Equal(optionBytes(a), optionBytes(b))
}

// optionBytes returns the options of a declaration, extensions included.
func optionBytes(d protoreflect.Descriptor) []byte {
	options := d.Options()
	if options == nil || !options.ProtoReflect().IsValid() {
		return nil
	}
	content, err := proto.MarshalOptions{Deterministic: true, AllowPartial: true}.Marshal(options)
	if err != nil {
		return nil
	}
	return content
}

// closure returns all components: those that have been referred to and those that they
// refer to, sorted by name.
func (b *builder) closure() []*component {
	for i := 0; i < len(b.all); i++ { //nolint:intrange // b.all grows
		c := b.all[i]
		md, ok := c.desc.(protoreflect.MessageDescriptor)
		if !ok || kindOf(md).HasOwnJSON() {
			continue
		}
		for _, fd := range b.fieldsOf(md) {
			if !c.without.has(fd) {
				b.field(fd, c.without.of(fd))
			}
		}
	}
	return slices.SortedFunc(slices.Values(b.all), func(x, y *component) int { return strings.Compare(x.name, y.name) })
}
