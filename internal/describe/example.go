package describe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
	"github.com/dyngate/dyngate/internal/safetext"
)

// An example has up to exampleDepth levels of messages, or fewer if it would have
// more than exampleValues values. Only required fields go beyond, up to a limit.
const (
	exampleDepth  = 10
	exampleValues = 2000
	requiredDepth = 100
	requiredLimit = 20_000
)

// Example returns a message as indented JSON that shows what can be sent, to be
// edited: each field with a value of its type, strings with the name of their
// field, enums with their first name that is not zero, lists and maps with one
// element, the first member of each oneof. A type that contains itself is shown
// twice. If a message is very large, the inner messages are left empty. Extensions
// are left out.
//
// The JSON can be read into the message, and required fields are set. Rules of
// the schema beyond types, such as those of buf.validate, may be broken.
//
// Types resolves the types that a google.protobuf.Any may contain; nil means
// protoregistry.GlobalTypes. It fails if a message requires itself or too much.
func Example(md protoreflect.MessageDescriptor, types protoregistry.MessageTypeResolver) (example []byte, err error) {
	defer noPanic(md, &err)
	if types == nil {
		types = protoregistry.GlobalTypes
	}
	for depth := exampleDepth; ; depth-- {
		x := exampler{types: types, depth: depth}
		err = x.message(md, "")
		if errors.Is(err, errTooLarge) && depth > 1 {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("cannot make an example of %s: %w", md.FullName(), err)
		}
		var out bytes.Buffer
		err = json.Indent(&out, x.out, "", "  ")
		return out.Bytes(), err
	}
}

var errTooLarge = errors.New("it has too many required fields")

type exampler struct {
	types  protoregistry.MessageTypeResolver
	depth  int // levels of messages to show
	values int // that were written
	stack  []protoreflect.FullName
	out    []byte
}

// only reports whether nothing but required fields is to be written.
func (x *exampler) only() bool { return len(x.stack) > x.depth || x.values > exampleValues }

// count counts a value.
func (x *exampler) count() error {
	x.values++
	if x.values > exampleValues && x.depth > 1 || x.values > requiredLimit {
		return errTooLarge
	}
	return nil
}

// message writes a message that is the value of a field of that name.
func (x *exampler) message(md protoreflect.MessageDescriptor, name string) error {
	if known := x.wellKnown(md, name); known != "" {
		x.out = append(x.out, known...)
		return nil
	}
	if len(x.stack) > requiredDepth {
		return fmt.Errorf("%s requires itself", md.FullName())
	}
	x.stack = append(x.stack, md.FullName())
	defer func() { x.stack = x.stack[:len(x.stack)-1] }()
	x.out = append(x.out, '{')
	chosen := map[protoreflect.Name]bool{}
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		name := nameOf(fd)
		oneof := fd.ContainingOneof()
		if name == "" || !x.wants(fd) || oneof != nil && chosen[oneof.Name()] {
			continue
		}
		if oneof != nil {
			chosen[oneof.Name()] = true
		}
		if err := x.field(fd, name); err != nil {
			return err
		}
	}
	x.out = append(bytes.TrimSuffix(x.out, []byte(",")), '}')
	return nil
}

// wants reports whether the field is to be shown.
func (x *exampler) wants(fd protoreflect.FieldDescriptor) bool {
	if fd.Cardinality() == protoreflect.Required {
		return true
	}
	if fd.IsMap() {
		fd = fd.MapValue()
	}
	if md := fd.Message(); md != nil && x.times(md.FullName()) == 2 {
		return false
	}
	return !x.only()
}

// times returns how often the message that is being written contains itself.
func (x *exampler) times(name protoreflect.FullName) (n int) {
	for _, s := range x.stack {
		if s == name {
			n++
		}
	}
	return n
}

// field writes a field, with a comma after it.
func (x *exampler) field(fd protoreflect.FieldDescriptor, name string) error {
	if err := x.count(); err != nil {
		return err
	}
	x.out = append(append(x.out, quoted(name)...), ':')
	element, end := fd, ""
	switch {
	case fd.IsMap():
		key := strings.Trim(scalar(fd.MapKey(), "key"), `"`)
		x.out = append(append(x.out, '{'), quoted(key)+":"...)
		element, end = fd.MapValue(), "}"
	case fd.IsList():
		x.out, end = append(x.out, '['), "]"
	}
	if md := element.Message(); md != nil {
		if err := x.message(md, name); err != nil {
			return err
		}
	} else {
		x.out = append(x.out, scalar(element, name)...)
	}
	x.out = append(append(x.out, end...), ',')
	return nil
}

// nameOf returns a name by which JSON can set the field, and which is safe on a
// terminal; "" if there is none.
func nameOf(fd protoreflect.FieldDescriptor) string {
	fields := fd.ContainingMessage().Fields()
	name, text := fd.JSONName(), fd.TextName()
	switch {
	case isField(fd, fields.ByJSONName(name)) && safetext.IsClean(name) && !strings.HasPrefix(name, "["): // of an extension
		return name
	case fields.ByJSONName(text) == nil && isField(fd, fields.ByTextName(text)):
		return text
	}
	return ""
}

func isField(fd, found protoreflect.FieldDescriptor) bool {
	return found != nil && found.Number() == fd.Number()
}

func quoted(s string) string {
	b, _ := json.Marshal(s) // a string has JSON always
	return string(b)
}

// scalar returns a value for a field that is not a message.
func scalar(fd protoreflect.FieldDescriptor, name string) string {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return "true"
	case protoreflect.StringKind:
		return quoted(name)
	case protoreflect.BytesKind:
		b, _ := json.Marshal([]byte(name)) // bytes have JSON always
		return string(b)
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return "1.5"
	case protoreflect.EnumKind:
		return enum(fd)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return `"1"`
	}
	return "1"
}

func enum(fd protoreflect.FieldDescriptor) string {
	if wellknown.IsNull(fd) {
		return "null"
	}
	ed := fd.Enum()
	best := ed.Values().Get(0)
	for i := 0; i < ed.Values().Len() && best.Number() == 0; i++ {
		best = ed.Values().Get(i)
	}
	if best.Number() == 0 {
		best = ed.Values().Get(0)
	}
	return quoted(string(best.Name()))
}

// wellKnown returns a value of a well-known type with its own JSON, or "".
func (x *exampler) wellKnown(md protoreflect.MessageDescriptor, name string) string {
	known := wellknown.Of(md.FullName())
	switch known.Kind {
	case wellknown.Any:
		if _, err := x.types.FindMessageByURL(wellknown.ExampleURL); err != nil {
			return "{}"
		}
	case wellknown.Wrapper:
		return scalar(md.Fields().ByNumber(1), name)
	}
	return known.Example
}
