// Package transcode converts protobuf messages between JSON and the binary
// format, without building messages.
//
// A [Plan] is compiled from a message descriptor once and then used for all
// messages of the type, by any number of goroutines. [Plan.AppendWire] reads JSON;
// [Plan.AppendJSON] writes it. Neither allocates when the destination is large
// enough.
//
// The format is ProtoJSON, https://protobuf.dev/programming-guides/json, as
// google.golang.org/protobuf/encoding/protojson implements it: both accept the
// same documents, with the same meaning, and write the same text except for
// white space. docs/rationale.md lists the differences.
//
// Parts of messages are transcoded too: [Plan.AppendWireField] and [Plan.AppendJSONField] convert
// one field, and [Plan.FindParam] with [Param.Append] convert the parameters of a URL. The binary
// format merges, so a message may be put together from such parts in any order: of two values
// of a field the later one counts.
//
// Plans trust only descriptors: documents and messages may be hostile.
// wire.MaxDepth limits nesting. The time is linear in the size of the input,
// except that the bytes of nested messages may be moved once for each level.
package transcode
