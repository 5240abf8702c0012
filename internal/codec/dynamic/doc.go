// Package dynamic implements protobuf messages of types that are known at run
// time only. They are safe on hostile input, mutable, complete, and faster than
// generated code.
//
// [Types] makes message types of descriptors. A [Message] implements
// protoreflect.Message, so that packages proto, protojson, prototext and protocmp
// work with it:
//
//	types := new(dynamic.Types)
//	m := types.Message(descriptor).NewMessage()
//	err := proto.Unmarshal(data, m)
//
// [Message.Decode] and [Message.Encode] do the same with errors that name the
// field, and under a limit of nesting.
//
// # Reading
//
// Strings must be UTF-8 where the schema asks for it. Numbers that a closed enum
// does not have are unknown fields, as the specification says (and
// google.golang.org/protobuf does not). So are extensions that the resolver does
// not know, and the items of a message with message_set_wire_format. Entries of
// maps may have their key and value in any order, missing, or repeated.
//
// A message does not refer to its input. A nested message takes memory for each
// field of its type, as it does in generated code. So that a few bytes for each of
// many messages of a wide type do not take gigabytes, input whose messages take
// more than 64 MiB and 50 times its length is refused as malformed.
//
// # Writing
//
// Fields are written in the order in which generated code writes them; with
// Deterministic the entries of maps are sorted, and the output is the same byte
// for byte. Strings that are not UTF-8 are accepted by Set and refused when the
// message is written, as they are by generated code.
//
// # Memory
//
// Short strings share blocks of up to 1 KiB, and nested messages without messages
// of their own share blocks of up to 16. What is kept for long keeps its blocks:
// clone it if that matters.
//
// # Concurrency
//
// Types are safe for concurrent use. A message may be read by any number of
// goroutines, as long as none changes it.
package dynamic
