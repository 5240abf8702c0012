package jsonmsg

import (
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/internal/codec"
	"github.com/dyngate/dyngate/internal/codec/transcode"
)

// Decode reads the JSON of one message into m, which it empties first.
//
// A mistake in the document is a [*transcode.Error], which says where in the message
// it is, as in items[2].qty, and what was expected there:
//
//	items[2].qty: expected int32, got the string "many"
//	items[2].colour: shop.Item has no field "colour" (did you mean "color"?); it has: color, name, qty
//	required fields are not set: items[2].name
//	syntax error (line 3:7): expected a colon, got '}'
func Decode(data []byte, m proto.Message, types codec.Types) error {
	b, err := planOf(m, types).AppendWire(nil, data, transcode.DecodeOptions{})
	if err != nil {
		return err
	}
	return proto.UnmarshalOptions{Resolver: orGlobal(types), RecursionLimit: codec.MaxDepth}.Unmarshal(b, m)
}
