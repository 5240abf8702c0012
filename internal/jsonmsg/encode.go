package jsonmsg

import (
	"bytes"
	"encoding/json"
	"errors"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/internal/codec"
)

// EncodeOptions configure Encode. The zero value writes the fields that are set, on
// one line.
type EncodeOptions struct {
	// EmitDefaults also writes fields without presence that have their zero value,
	// empty lists and empty maps.
	EmitDefaults bool

	// Indent puts each value on a line of its own, indented by two spaces for
	// each level. A message nested more than 64 levels deep stays on one line,
	// as most of it would be spaces.
	Indent bool
}

// Encode writes m as JSON, without a line break at the end. The same message always
// gives the same bytes. Encode does not bound how deeply m is nested: the reader of
// m does.
//
// It fails for what protobuf's JSON cannot express: text that is not UTF-8, a
// well-known type out of its range, a google.protobuf.Value without a value.
func Encode(m proto.Message, types codec.Types, opts EncodeOptions) (out []byte, err error) {
	defer noPanic(&err)
	b, err := protojson.MarshalOptions{
		AllowPartial:      true,
		EmitDefaultValues: opts.EmitDefaults,
		Resolver:          &anyTypes{Types: orGlobal(types), left: budget(m), keep: true},
	}.Marshal(m)
	if err != nil {
		return nil, errors.New(plain(err))
	}
	var buf bytes.Buffer
	if opts.Indent && depth(b) <= maxIndented {
		err = json.Indent(&buf, b, "", "  ")
	} else {
		err = json.Compact(&buf, b)
	}
	return buf.Bytes(), err
}

const maxIndented = 64

// depth returns how deep the brackets of a JSON text are nested.
func depth(b []byte) int {
	open, deepest, inString := 0, 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			open++
			deepest = max(deepest, open)
		case c == '}' || c == ']':
			open--
		}
	}
	return deepest
}
