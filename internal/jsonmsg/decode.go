package jsonmsg

import (
	"fmt"
	"strings"
	"unicode"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec"
	"github.com/dyngate/dyngate/internal/codec/transcode"
)

// Decode reads the JSON of one message into m, which it empties first. After an
// error m is partly filled.
//
// An error says where in the message it is, as in items[2].qty, and what was
// expected there:
//
//	items[2].qty: expected int32, got the string "many"
//	items[2].colour: shop.Item has no field "colour" (did you mean "color"?); it has: color, name, qty
//	required fields are not set: items[2].name
//
// Text that is not JSON is reported with its line and column.
func Decode(data []byte, m proto.Message, types codec.Types) (err error) {
	defer noPanic(&err)
	types = orGlobal(types)
	b, err := transcode.NewPlans(types).Plan(m.ProtoReflect().Descriptor()).AppendWire(nil, data, transcode.DecodeOptions{})
	if err != nil {
		return err
	}
	return proto.UnmarshalOptions{Resolver: types}.Unmarshal(b, m)
}

func unmarshal(data []byte, m proto.Message, types codec.Types) error {
	return protojson.UnmarshalOptions{AllowPartial: true, Resolver: types, RecursionLimit: codec.MaxDepth}.Unmarshal(data, m)
}

// plain returns the text of an error of protojson, without its random white space
// and without control characters.
func plain(err error) string {
	text := strings.TrimLeft(strings.TrimPrefix(err.Error(), "proto:"), " \u00a0")
	switch text {
	case "unexpected EOF":
		return "the JSON ends too early"
	case "exceeded max recursion depth":
		return fmt.Sprintf("the message is nested more than %d levels deep", codec.MaxDepth)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// appendMissing appends the paths of the required fields that are not set.
func appendMissing(m protoreflect.Message, path string, out []string) []string {
	required := m.Descriptor().RequiredNumbers()
	for i := range required.Len() {
		if fd := m.Descriptor().Fields().ByNumber(required.Get(i)); !m.Has(fd) {
			out = append(out, join(path, fd.JSONName()))
		}
	}
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		name := join(path, fd.JSONName())
		switch {
		case fd.IsMap() && fd.MapValue().Message() != nil:
			v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
				out = appendMissing(v.Message(), element(name, k.String()), out)
				return true
			})
		case fd.IsMap() || fd.Message() == nil:
		case fd.IsList():
			for i := range v.List().Len() {
				out = appendMissing(v.List().Get(i).Message(), index(name, i), out)
			}
		default:
			out = appendMissing(v.Message(), name, out)
		}
		return true
	})
	return out
}
