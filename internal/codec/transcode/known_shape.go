package transcode

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec/wellknown"
)

// shapes are the fields of the well-known types with a special JSON form, as
// number and kind. A message of the same name with other fields is an ordinary
// message.
var shapes = map[wellknown.Kind]string{
	wellknown.Any:       "1string 2bytes",
	wellknown.Duration:  "1int64 2int32",
	wellknown.Empty:     "",
	wellknown.FieldMask: "1[]string",
	wellknown.ListValue: "1[]message",
	wellknown.Struct:    "1[]message",
	wellknown.Timestamp: "1int64 2int32",
	wellknown.Value:     "1enum 2double 3string 4bool 5message 6message",
}

var wrapped = map[protoreflect.Name]string{
	"BoolValue": "1bool", "BytesValue": "1bytes", "DoubleValue": "1double", "FloatValue": "1float", "Int32Value": "1int32",
	"Int64Value": "1int64", "StringValue": "1string", "UInt32Value": "1uint32", "UInt64Value": "1uint64",
}

// KindOf returns which well-known type a message is, by its JSON form; wellknown.None
// if it is written as its fields.
func KindOf(md protoreflect.MessageDescriptor) wellknown.Kind { return knownKind(md) }

// knownKind returns the kind of a message: None if the message does not have
// the fields of the well-known type of that name.
func knownKind(md protoreflect.MessageDescriptor) wellknown.Kind {
	kind := wellknown.Of(md.FullName()).Kind
	want := shapes[kind]
	if kind == wellknown.Wrapper {
		want = wrapped[md.Name()]
	}
	if kind == wellknown.None || shape(md) != want || !knownParts(md, kind) {
		return wellknown.None
	}
	return kind
}

func shape(md protoreflect.MessageDescriptor) string {
	all := make([]string, md.Fields().Len())
	for i := range all {
		fd := md.Fields().Get(i)
		list := ""
		if fd.Cardinality() == protoreflect.Repeated {
			list = "[]"
		}
		all[i] = fmt.Sprintf("%d%s%s", fd.Number(), list, fd.Kind())
	}
	return strings.Join(all, " ")
}

// knownParts checks the types of the fields that are messages or enums.
func knownParts(md protoreflect.MessageDescriptor, kind wellknown.Kind) bool {
	part := func(i int) wellknown.Kind { return wellknown.Of(md.Fields().Get(i).Message().FullName()).Kind }
	switch kind {
	case wellknown.Struct:
		fd := md.Fields().Get(0)
		return fd.IsMap() && fd.MapKey().Kind() == protoreflect.StringKind && fd.MapValue().Message() != nil &&
			wellknown.Of(fd.MapValue().Message().FullName()).Kind == wellknown.Value
	case wellknown.ListValue:
		return part(0) == wellknown.Value
	case wellknown.Value:
		return wellknown.IsNull(md.Fields().Get(0)) && part(4) == wellknown.Struct && part(5) == wellknown.ListValue
	default:
		return true
	}
}
