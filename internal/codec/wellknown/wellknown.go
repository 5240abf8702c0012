// Package wellknown is the table of the message types of google.protobuf that
// have a Go type or a JSON form of their own.
package wellknown

import "google.golang.org/protobuf/reflect/protoreflect"

// Kind says which well-known type a message is, where they differ in treatment.
type Kind uint8

// The kinds of messages.
const (
	None Kind = iota // an ordinary message
	Any
	Duration
	Empty
	FieldMask
	ListValue
	Struct
	Timestamp
	Value
	Wrapper // a message with one scalar in the field "value", such as StringValue
)

// Type is a row of the table.
type Type struct {
	Kind Kind

	// GoType is the Go type that holds a value of it directly, as source code
	// spells it; empty if there is none.
	GoType string

	// Example is an example of its JSON; empty if its fields give one.
	Example string
}

var table = map[protoreflect.FullName]Type{
	"google.protobuf.Any":         {Any, "", `{"@type":"` + ExampleURL + `","value":"text"}`},
	"google.protobuf.BoolValue":   {Wrapper, "bool", ""},
	"google.protobuf.BytesValue":  {Wrapper, "[]byte", ""},
	"google.protobuf.DoubleValue": {Wrapper, "float64", ""},
	"google.protobuf.Duration":    {Duration, "time.Duration", `"1.5s"`},
	"google.protobuf.Empty":       {Empty, "", ""},
	"google.protobuf.FieldMask":   {FieldMask, "[]string", `"name,address.city"`},
	"google.protobuf.FloatValue":  {Wrapper, "float32", ""},
	"google.protobuf.Int32Value":  {Wrapper, "int32", ""},
	"google.protobuf.Int64Value":  {Wrapper, "int64", ""},
	"google.protobuf.ListValue":   {ListValue, "[]any", `["value"]`},
	"google.protobuf.StringValue": {Wrapper, "string", ""},
	"google.protobuf.Struct":      {Struct, "map[string]any", `{"key":"value"}`},
	"google.protobuf.Timestamp":   {Timestamp, "time.Time", `"2006-01-02T15:04:05Z"`},
	"google.protobuf.UInt32Value": {Wrapper, "uint32", ""},
	"google.protobuf.UInt64Value": {Wrapper, "uint64", ""},
	"google.protobuf.Value":       {Value, "any", `"value"`},
}

// ExampleURL is the type in the example of an Any.
const ExampleURL = "type.googleapis.com/google.protobuf.StringValue"

// Of returns the row of a message type. That of an ordinary message is zero.
func Of(name protoreflect.FullName) Type { return table[name] }

// HasOwnJSON reports whether the JSON of the message has none of the fields of
// its schema: it is a string, a number, a list, or an object of any names.
func (t Type) HasOwnJSON() bool {
	switch t.Kind {
	case None, Any, Empty:
		return false
	}
	return true
}

// IsNull reports whether fd is a google.protobuf.NullValue, whose only JSON is
// null.
func IsNull(fd protoreflect.FieldDescriptor) bool {
	return fd.Enum() != nil && fd.Enum().FullName() == "google.protobuf.NullValue"
}
