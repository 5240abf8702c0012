package transcode

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
)

// Append appends the field with the value that text has in a URL, within the messages that
// contain it: the JSON of the value, without the quotes of strings. Numbers, names of enums,
// base64, and Timestamp, Duration and FieldMask are strings in that sense. A
// google.protobuf.Value is the JSON that text is, if it begins like JSON, and a string otherwise.
// The paths of a FieldMask may have names of the schema, too.
//
// The bytes replace a value of the field that precedes them in the message, also when the new
// value is zero; in lists and maps they add to it. After an error, of type *Error, the
// result is dst.
func (x Param) Append(dst []byte, text string) ([]byte, error) {
	if !utf8.ValidString(text) || !utf8.ValidString(x.key) {
		return dst, (&Error{Problem: "the text is not valid UTF-8"}).param(x.name)
	}
	d := decoders.Get().(*decoder) //nolint:forcetypeassert // the pool has only decoders
	var bare bool
	d.token, bare = appendToken(d.token[:0], x.value(), text)
	d.in, d.pos, d.out, d.depth, d.zeros = d.token, 0, dst, maxDepth-len(x.outer)-1, true
	d.opts = DecodeOptions{AllowPartial: true}
	err := d.param(x, 0)
	if d.space(); err == nil && d.pos < len(d.in) {
		err = d.unexpected("the end of the JSON")
	}
	out := d.out
	if err != nil {
		if err = err.finish(d.in); !bare {
			err.Line, err.Column = 0, 0
		}
	}
	d.release()
	if err != nil {
		return dst, err.param(x.name)
	}
	return out, nil
}

// value returns the field with the type of the parameter's text.
func (x Param) value() *field {
	if x.field.keyField != nil {
		return x.field.value
	}
	return x.field
}

// appendToken appends the JSON for a parameter's text. It reports whether that is the text
// itself.
func appendToken(out []byte, f *field, text string) ([]byte, bool) {
	if isBare(f, text) {
		return append(out, text...), true
	}
	if f.message != nil && f.message.get().kind == wellknown.FieldMask {
		text = camelMask(text)
	}
	out, _ = appendString(out, []byte(text))
	return out, false
}

// camelMask replaces the paths of a field mask that are names of the schema by their JSON form.
// It leaves paths as they are if they have none.
func camelMask(text string) string {
	if !strings.Contains(text, "_") {
		return text
	}
	paths := strings.Split(text, ",")
	for i, path := range paths {
		if camel := camelCase(path); snakeCase(camel) == path {
			paths[i] = camel
		}
	}
	return strings.Join(paths, ",")
}

// isBare reports whether the JSON of a parameter's text is the text without quotes.
func isBare(f *field, text string) bool {
	switch {
	case f.kind == protoreflect.BoolKind:
		return text == "true" || text == "false"
	case f.kind == protoreflect.EnumKind:
		return f.isNull && text == "null" || isNumber(text)
	case f.message == nil:
		return false
	}
	p := f.message.get()
	switch p.kind {
	case wellknown.Wrapper:
		return isBare(p.fields[0], text)
	case wellknown.Struct:
		return strings.HasPrefix(text, "{")
	case wellknown.ListValue:
		return strings.HasPrefix(text, "[")
	case wellknown.Value:
		return text == "null" || text == "true" || text == "false" || strings.IndexAny(text, `{["`) == 0 || isNumber(text)
	}
	return false
}

func isNumber(text string) bool {
	return text != "" && (text[0] == '-' || '0' <= text[0] && text[0] <= '9') && numberEnd([]byte(text), 0) == len(text)
}

// param appends a parameter within its outer messages from index i.
func (d *decoder) param(x Param, i int) *Error {
	if i == len(x.outer) {
		return d.paramValue(x)
	}
	f := x.outer[i]
	d.out = appendVarint(d.out, f.tag)
	if f.kind == protoreflect.GroupKind {
		err := d.param(x, i+1)
		d.out = appendVarint(d.out, f.tag+1)
		return err
	}
	start := d.open()
	err := d.param(x, i+1)
	d.close(start)
	return err
}

// paramValue appends the field of a parameter.
func (d *decoder) paramValue(x Param) *Error {
	f := x.field
	if f.keyField == nil {
		return d.tagged(f)
	}
	d.out = appendVarint(d.out, f.tag)
	start := d.open()
	d.out = appendVarint(d.out, f.keyField.tag)
	if !d.mapKey(f.keyField, []byte(x.key)) {
		return &Error{Expected: "a key of type " + f.keyField.kind.String(), Got: quoted(x.key)}
	}
	err := d.tagged(f.value)
	d.close(start)
	return err
}

// tagged reads a value and appends it with its tag, also if it is zero.
func (d *decoder) tagged(f *field) *Error {
	if f.message != nil {
		return d.messageField(f)
	}
	d.out = appendVarint(d.out, f.tag)
	_, err := d.scalar(f)
	return err
}

// ParamSet finds parameters of one request that set a field twice, or two fields of a oneof. The
// zero value is an empty set.
type ParamSet struct {
	keys    keySet
	members []string // the names of the fields that set the oneofs, by index in keys
	key     []byte
}

// Reset empties the set.
func (s *ParamSet) Reset() {
	s.keys.reset()
	s.members = s.members[:0]
}

// Add adds a parameter. Its error is of type *Error.
func (s *ParamSet) Add(x Param) error {
	s.key = s.key[:0]
	for _, f := range x.outer {
		if err := s.addOneof(f); err != nil {
			return err.param(x.name)
		}
		s.key = appendVarint(s.key, f.tag)
	}
	f := x.field
	if f.list {
		return nil
	}
	if err := s.addOneof(f); err != nil {
		return err.param(x.name)
	}
	s.key = appendVarint(s.key, f.tag)
	if f.keyField != nil {
		d := decoder{out: s.key}
		d.mapKey(f.keyField, []byte(x.key)) // Append reports a key that is not valid
		s.key = d.out
	}
	if _, added := s.add(f.name); !added {
		return (&Error{Problem: "the parameter is set twice"}).param(x.name)
	}
	return nil
}

// addOneof adds the oneof of a field within the messages in s.key.
func (s *ParamSet) addOneof(f *field) *Error {
	if f.oneof < 0 {
		return nil
	}
	length := len(s.key)
	defer func() { s.key = s.key[:length] }()
	s.key = append(s.key, 0) // no tag
	s.key = strconv.AppendInt(s.key, int64(f.oneof), 10)
	if i, added := s.add(f.name); !added && s.members[i] != f.name {
		return &Error{Problem: fmt.Sprintf("only one field of the oneof %s can be set, and %q already is", f.desc.ContainingOneof().FullName(), s.members[i])}
	}
	return nil
}

func (s *ParamSet) add(name string) (int, bool) {
	i, added := s.keys.index(s.key)
	if added {
		s.members = append(s.members, name)
	}
	return i, added
}
