// Package transcode turns the JSON of protobuf messages into wire bytes and back,
// without building messages.
//
// A [Plan] is compiled from a message descriptor once and then used for all
// messages of the type, by any number of goroutines. [Plan.AppendWire] reads JSON;
// [Plan.AppendJSON] writes it. Neither allocates when the destination is large
// enough.
//
// The format is ProtoJSON, https://protobuf.dev/programming-guides/json, as
// google.golang.org/protobuf/encoding/protojson implements it: both accept the same
// documents, with the same meaning, and write the same text but for white space.
// docs/rationale.md lists the differences.
//
// Plans trust descriptors, and nothing else: documents and messages may be hostile.
// Nesting is bounded by wire.MaxDepth. The time is linear in the size of the input
// but for nested messages, whose bytes are moved once for each level at most.
package transcode
