package jsonmsg

import (
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/internal/codec"
	"github.com/dyngate/dyngate/internal/codec/transcode"
)

// EncodeOptions configure Encode. The zero value is one line with what is set.
type EncodeOptions struct {
	// EmitDefaults also writes fields without presence that have their zero value,
	// empty lists and empty maps.
	EmitDefaults bool

	// Indent puts each value on a line of its own, indented by two spaces for
	// each level.
	Indent bool
}

// Encode writes m as JSON, without a line break at the end. The same message always
// gives the same bytes. Messages that are nested more than codec.MaxDepth levels deep
// are errors.
//
// It fails for what protobuf's JSON cannot express: text that is not UTF-8, a
// well-known type out of its range, a google.protobuf.Value without a value.
func Encode(m proto.Message, types codec.Types, opts EncodeOptions) ([]byte, error) {
	b, err := proto.MarshalOptions{AllowPartial: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	return planOf(m, types).AppendJSON(nil, b, transcode.EncodeOptions{
		EmitDefaults: opts.EmitDefaults, Indent: opts.Indent, Lenient: true,
	})
}
