// Package dynamic implements protobuf messages of types that are known at run
// time only. They are safe on hostile input, mutable, complete, and faster than
// generated code.
//
// [Types] compiles descriptors to message types. A [Message] implements
// protoreflect.Message, so that packages proto, protojson, prototext and protocmp
// work with it:
//
//	types := new(dynamic.Types)
//	m := types.Message(descriptor).NewMessage()
//	err := proto.Unmarshal(data, m)
//
// [Options.Unmarshal] and [Options.Marshal] do the same with errors that name the
// field, and with a limit on nesting.
//
// # Reading
//
// Strings must be UTF-8 where the schema requires it. Numbers that a closed enum
// does not have are unknown fields, as the specification says (and
// google.golang.org/protobuf does not). So are extensions that the resolver does
// not know, and the items of a message with message_set_wire_format. Entries of
// maps may have their key and value in any order, missing, or repeated.
//
// A message does not refer to its input. A nested message takes memory for every
// field of its type, as in generated code, so a small input with many messages of a
// wide type could take gigabytes. Input whose messages take more than 64 MiB plus
// 50 times its length is therefore refused as malformed.
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
// of their own share blocks of up to 16. A value that is kept keeps its blocks:
// clone it if that matters.
//
// # Concurrency
//
// Types are safe for concurrent use. A message may be read by any number of
// goroutines, as long as none changes it.
package dynamic
