package jsonmsg

import (
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/internal/codec"
)

// FromMap sets m to a message that is given as Go values, by the JSON names of its
// fields or their names in the schema. The values are those that json.Marshal turns
// into protobuf's JSON: numbers of any type, strings, []byte for bytes,
// time.Time for a Timestamp, the name or number of an enum's value, slices,
// maps and structs. A Duration is a string such as "1.5s", not a
// time.Duration; NaN and the infinities are the strings "NaN", "Infinity" and
// "-Infinity". Invalid UTF-8 in a string is replaced, as always in encoding/json.
//
// The errors are those of Decode, and of json.Marshal for values without JSON.
func FromMap(values map[string]any, m proto.Message, types codec.Types) error {
	if values == nil { // null in JSON
		values = map[string]any{}
	}
	data, err := json.Marshal(values)
	if err != nil {
		return err
	}
	return Decode(data, m, types)
}

// ToMap returns m as the values that encoding/json decodes from its JSON, by the
// JSON names of its fields: float64 for numbers, but strings for 64-bit
// integers, NaN and the infinities; strings for bytes (base64), enums,
// Timestamps and Durations; []any and map[string]any.
//
// It fails where Encode does, and for the well-known types that are not an object in
// JSON, such as google.protobuf.StringValue.
func ToMap(m proto.Message, types codec.Types, opts EncodeOptions) (map[string]any, error) {
	data, err := Encode(m, types, EncodeOptions{EmitDefaults: opts.EmitDefaults})
	if err != nil {
		return nil, err
	}
	if data[0] != '{' {
		return nil, fmt.Errorf("%s is not an object in JSON", m.ProtoReflect().Descriptor().FullName())
	}
	var values map[string]any
	if err := json.Unmarshal(data, &values); err != nil {
		return nil, err
	}
	return values, nil
}
