// Package jsonmsg turns protobuf's JSON into messages and back, with errors
// that say where a document is wrong and what would be right.
//
// What is JSON for a message is decided by google.golang.org/protobuf's
// protojson: Decode takes what it takes, to a depth of 100 levels, and Encode
// writes what it writes, but for three things. White space is the same in every
// build. Required fields may be missing, as whoever looks at a message wants to
// see what is there. And a google.protobuf.Any of a type that nobody knows, or
// whose bytes are no message of its type, is
//
//	{"@type": "type.googleapis.com/shop.Item", "@value": "CgRuYW1l"}
//
// with its bytes in base64, as grpcurl shows it, instead of an error. Decode
// does not take that.
package jsonmsg

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoregistry"
)

// Types finds the messages that are packed into google.protobuf.Any, and
// extensions. Where a function takes one, nil stands for
// protoregistry.GlobalTypes.
type Types interface {
	protoregistry.MessageTypeResolver
	protoregistry.ExtensionTypeResolver
}

// maxDepth is how many messages may be nested, as other languages have it on
// the wire. protojson's own limit is 10,000, and Anys within Anys cost it the
// square of that.
const maxDepth = 100

func orGlobal(types Types) Types {
	if types == nil {
		return protoregistry.GlobalTypes
	}
	return types
}

// noPanic makes an error of a panic: protojson and some types have them for
// schemas that redefine well-known types, and for hostile bytes.
func noPanic(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the message cannot be handled: %v", r)
	}
}
