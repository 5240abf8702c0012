package wire

import (
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// MaxDepth bounds how deeply messages may be nested in what is read and in what
// is written: a hostile one would exhaust the stack. The outermost message is the
// first level, an entry of a map is a level of its own.
const MaxDepth = 100

// Types resolves message and extension types by name, URL or number, and lists
// the extensions of a message: what an Any may hold, and what JSON and text name.
type Types interface {
	protoregistry.MessageTypeResolver
	protoregistry.ExtensionTypeResolver
	RangeExtensionsByMessage(message protoreflect.FullName, f func(protoreflect.ExtensionType) bool)
}
