package jsonmsg

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec"
	"github.com/dyngate/dyngate/internal/codec/dynamic"
	"github.com/dyngate/dyngate/internal/codec/wellknown"
	"github.com/dyngate/dyngate/internal/typename"
)

// The errors of protojson have no path and do not say what was expected. So when
// protojson refuses a document, the explainer reads it again, in the same order and
// by the same rules, up to the first error.

// explain returns what is wrong with a document, nil if the walk finds nothing.
func explain(data []byte, md protoreflect.MessageDescriptor, types codec.Types) error {
	x := newExplainer(data, types)
	v, err := x.next()
	if err == nil {
		err = x.message(md, "", v)
	}
	if errors.Is(err, errStopped) {
		return nil
	}
	return err
}

// errStopped ends a walk that cannot continue, because the text is not JSON.
var errStopped = errors.New("not JSON")

type explainer struct {
	data  []byte
	dec   *json.Decoder
	types codec.Types
	depth int
}

func newExplainer(data []byte, types codec.Types) *explainer {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return &explainer{data: data, dec: dec, types: types}
}

// value is a value of the document whose first token has been read.
type value struct {
	tok   json.Token
	start int
}

func (v value) opens(bracket json.Delim) bool { return v.tok == json.Token(bracket) }

func (x *explainer) next() (value, error) {
	start := int(x.dec.InputOffset())
	tok, err := x.dec.Token()
	if err != nil {
		return value{}, errStopped
	}
	for start < len(x.data) && bytes.IndexByte([]byte(" \t\r\n,:"), x.data[start]) >= 0 {
		start++
	}
	return value{tok, start}, nil
}

// key reads the key of an object's next member.
func (x *explainer) key() (string, error) {
	v, err := x.next()
	if err != nil {
		return "", err
	}
	return v.tok.(string), nil
}

// rest reads the rest of a value, and returns all of its text.
func (x *explainer) rest(v value) ([]byte, error) {
	open := 0
	for tok := v.tok; ; {
		switch tok {
		case json.Delim('{'), json.Delim('['):
			open++
		case json.Delim('}'), json.Delim(']'):
			open--
		}
		if open == 0 {
			return x.data[v.start:x.dec.InputOffset()], nil
		}
		n, err := x.next()
		if err != nil {
			return nil, err
		}
		tok = n.tok
	}
}

func (x *explainer) message(md protoreflect.MessageDescriptor, path string, v value) error {
	if x.depth++; x.depth > codec.MaxDepth {
		return errStopped
	}
	defer func() { x.depth-- }()
	known := wellknown.Of(md.FullName())
	switch {
	case known.HasOwnJSON():
		return x.opaque(md, path, v)
	case !v.opens('{'):
		return mismatch(path, wantMessage(md), v.tok)
	case known.Kind == wellknown.Any:
		return x.any(path, v)
	}
	return x.members(md, path, false)
}

// opaque checks a message whose JSON has no field names, by means of protojson.
func (x *explainer) opaque(md protoreflect.MessageDescriptor, path string, v value) error {
	text, err := x.rest(v)
	if err != nil {
		return err
	}
	err = unmarshal(text, dynamic.NewMessage(md), x.types)
	switch kind := wellknown.Of(md.FullName()).Kind; {
	case err == nil:
		return nil
	case kind == wellknown.Value || kind == wellknown.Struct && v.opens('{') || kind == wellknown.ListValue && v.opens('['):
		return errorAt(path, "%s", position.ReplaceAllString(plain(err), "")) // somewhere inside
	}
	return mismatch(path, wantMessage(md), v.tok)
}

// position matches the position in an error of protojson, which is relative to the
// text that it was given.
var position = regexp.MustCompile(`\(line \d+:\d+\): `)

// seen records what the members of an object have set so far.
type seen struct {
	fields map[protoreflect.FieldNumber]string
	oneofs map[protoreflect.Name]string
}

// members checks the members of an object whose brace has been read. In an Any,
// "@type" is not a field.
func (x *explainer) members(md protoreflect.MessageDescriptor, path string, inAny bool) error {
	have := seen{map[protoreflect.FieldNumber]string{}, map[protoreflect.Name]string{}}
	for x.dec.More() {
		name, err := x.key()
		if err != nil {
			return err
		}
		if inAny && name == "@type" {
			if _, err := x.next(); err != nil {
				return err
			}
			continue
		}
		fd, err := x.lookup(md, path, name)
		if err != nil {
			return err
		}
		if err := x.field(&have, fd, path, name); err != nil {
			return err
		}
	}
	_, err := x.next()
	return err
}

// field checks the value of one member.
func (x *explainer) field(have *seen, fd protoreflect.FieldDescriptor, path, name string) error {
	at := join(path, name)
	if first, twice := have.fields[fd.Number()]; twice && first == name {
		return errorAt(at, "the field is set twice")
	} else if twice {
		return errorAt(at, "the field is set twice, as %s and as %s", quoted(first), quoted(name))
	}
	have.fields[fd.Number()] = name
	v, err := x.next()
	switch {
	case err != nil:
		return err
	case v.tok == nil && !takesNull(fd):
		return nil
	case fd.IsList():
		return x.list(fd, at, v)
	case fd.IsMap():
		return x.entries(fd, at, v)
	}
	if oneof := fd.ContainingOneof(); oneof != nil {
		if first, set := have.oneofs[oneof.Name()]; set {
			return errorAt(at, "only one field of the oneof %s can be set, and %s already is", oneof.FullName(), quoted(first))
		}
		have.oneofs[oneof.Name()] = name
	}
	return x.single(fd, at, v)
}

func (x *explainer) list(fd protoreflect.FieldDescriptor, path string, v value) error {
	if !v.opens('[') {
		return mismatch(path, "a list of "+typename.OfElement(fd), v.tok)
	}
	for i := 0; x.dec.More(); i++ {
		v, err := x.next()
		if err != nil {
			return err
		}
		if err := x.single(fd, index(path, i), v); err != nil {
			return err
		}
	}
	_, err := x.next()
	return err
}

func (x *explainer) entries(fd protoreflect.FieldDescriptor, path string, v value) error {
	if !v.opens('{') {
		return mismatch(path, "an object ("+typename.OfField(fd)+")", v.tok)
	}
	keys := map[any]bool{}
	for x.dec.More() {
		name, err := x.key()
		if err != nil {
			return err
		}
		key, ok := mapKey(fd.MapKey().Kind(), name)
		if !ok {
			return errorAt(path, "expected keys of type %s, got %s", typename.OfElement(fd.MapKey()), quoted(name))
		}
		if keys[key] {
			return errorAt(path, "the key %s occurs twice", quoted(name))
		}
		keys[key] = true
		v, err := x.next()
		if err != nil {
			return err
		}
		if err := x.single(fd.MapValue(), element(path, name), v); err != nil {
			return err
		}
	}
	_, err := x.next()
	return err
}

func mapKey(kind protoreflect.Kind, name string) (key any, ok bool) {
	var err error
	switch kind {
	case protoreflect.StringKind:
		return name, true
	case protoreflect.BoolKind:
		return name, name == "true" || name == "false"
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		key, err = strconv.ParseInt(name, 10, 32)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		key, err = strconv.ParseInt(name, 10, 64)
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		key, err = strconv.ParseUint(name, 10, 32)
	default:
		key, err = strconv.ParseUint(name, 10, 64)
	}
	return key, err == nil
}
