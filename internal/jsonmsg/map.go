package jsonmsg

import (
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/internal/codec"
)

// FromMap sets m to a message that is given as Go values: by the JSON names of
// its fields, or the names in the schema. The values are whatever json.Marshal
// makes protobuf JSON of: numbers of any type, strings, []byte for bytes,
// time.Time for a Timestamp, the name or number of an enum's value, slices,
// maps and structs. A Duration is a string such as "1.5s", not a
// time.Duration; NaN and the infinities are the strings "NaN", "Infinity" and
// "-Infinity". As ever with encoding/json, what is not UTF-8 in a string is
// replaced.
//
// Errors are those of Decode, and of json.Marshal for what has no JSON.
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

// ToMap returns m as the values that encoding/json makes of its JSON, by the
// JSON names of its fields: float64 for numbers, but strings for 64-bit
// integers, NaN and the infinities; strings for bytes (base64), enums,
// Timestamps and Durations; []any and map[string]any.
//
// It fails where Encode does, and for the few well-known types that are no
// object in JSON, such as google.protobuf.StringValue.
func ToMap(m proto.Message, types codec.Types, opts EncodeOptions) (map[string]any, error) {
	data, err := Encode(m, types, EncodeOptions{EmitDefaults: opts.EmitDefaults})
	if err != nil {
		return nil, err
	}
	if data[0] != '{' {
		return nil, fmt.Errorf("%s is no object in JSON", m.ProtoReflect().Descriptor().FullName())
	}
	var values map[string]any
	if err := json.Unmarshal(data, &values); err != nil {
		return nil, err
	}
	return values, nil
}
