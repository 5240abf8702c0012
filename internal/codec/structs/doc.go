// Package structs reads and writes protobuf messages as plain Go structs, without
// generated code.
//
// Bind matches a Go type with a message descriptor once, and reports all
// mismatches. The Struct that it returns moves messages between the wire
// and values of that type, faster than generated code does:
//
//	type HelloRequest struct {
//		Name string
//		Tags []string
//		At   time.Time
//	}
//
//	plan, err := structs.Bind[HelloRequest](descriptor, structs.Options{})
//	...
//	var req HelloRequest
//	err = plan.Unmarshal(wire, &req)
//
// # Names
//
// A Go field is bound to the message field of the same name, whatever the case
// and the underscores: CustomerID to customer_id. A tag names another one:
// `proto:"customer_id"`, by its name or its JSON name. `proto:"-"` leaves a field
// out, as do lower-case names. An exported field that matches none is an
// error; a message field without a Go field is treated as unknown. The fields of
// an embedded struct count as fields of the struct around it, whose own hide them.
//
// # Types
//
//	int32, sint32, sfixed32      int32, int64, int
//	int64, sint64, sfixed64      int64, int (where it has 64 bits)
//	uint32, fixed32              uint32, uint64, uint
//	uint64, fixed64              uint64, uint (where it has 64 bits)
//	float; double                float32, float64; float64
//	bool                         bool
//	string                       string, []byte
//	bytes                        []byte
//	enum                         int32, int64, int; string for the name
//	message, group               a struct, or a pointer to one
//	repeated T                   []T; []T or []*T for messages
//	map<K, V>                    map[K]V; map[K]V or map[K]*V for messages
//	google.protobuf.Timestamp    time.Time (UTC)
//	google.protobuf.Duration     time.Duration
//	google.protobuf.*Value       the type that is wrapped
//	google.protobuf.Struct       map[string]any
//	google.protobuf.Value        any
//	google.protobuf.ListValue    []any
//	google.protobuf.FieldMask    []string
//
// Named types of these kinds do as well, other than of time.Time and
// time.Duration. A well-known type may also be bound to a struct with its fields,
// as any message may; and every message to a pointer to the type that was
// generated for it. A value that is wider than its field is checked when it is
// written.
//
// The wire takes any number of seconds in a Timestamp or Duration, time.Time and
// time.Duration do not: reading is an ErrRange beyond the years 1 to 9999, which
// timestamp.proto allows, beyond the 292 years of a time.Duration, and where the
// nanoseconds are none. So is a number that a later one replaces. Writing is an
// ErrUnencodable. A struct with the fields Seconds and Nanos takes them all.
//
// An enum that is bound to a string reads as the name of its value, and as the
// number in digits where there is no name; both can be written.
//
// # Presence
//
// A pointer distinguishes a field that is not set (nil) from one that is set to
// zero. []byte does so without a pointer, as do map[string]any, []any and []string
// for the well-known types. A singular any cannot: a null and a missing value both
// read as nil; use *any to distinguish them.
//
// A plain value is what a reader of the field sees. A field that is not set reads
// as its default: the one that a proto2 file declares, or else zero
// (the name of the first value, for an enum bound to a string). A value that
// equals the default is not written. The plain time.Time{} is not written, nor is
// a struct that is zero or would be written empty. Required fields are always
// written; a nil pointer there is a *RequiredError.
//
// The members of a oneof are fields of the struct itself: pointers, or the types
// above that can be nil. Reading one sets the others to nil; writing fails if two
// are set.
//
// # Reading
//
// Fields may come in any order, and more than once: the last value of a scalar
// wins, messages merge, lists grow. Packed and unpacked lists are both accepted. An
// unknown field, or one with another wire type than expected, is dropped; a field
// `proto:",unknown"` of type []byte keeps all of them, and they are written back.
// Numbers that a closed enum does not have count as unknown fields, as the
// specification says (and google.golang.org/protobuf does not). Strings must be
// UTF-8 where the schema requires it: not in proto2.
//
// Required fields are checked in every message that was bound. Reading checks those
// without a Go field as well. Writing cannot supply these: bind all required fields
// of what is to be written. Invalid input of any kind is an error; the memory that
// is allocated for it is bounded by its length.
//
// Strings of a message that are short share blocks of up to 1 KiB, lists of a few
// strings share blocks of 32, and nested messages of one type share blocks of up
// to 16, or of the list that they are elements of. What is kept for long keeps its
// block: clone it if that matters. Blocks are never shared between messages.
package structs
