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
// does not accept that.
//
// Types, where a function takes them, find the messages that are packed into
// google.protobuf.Any, and extensions. Nil stands for protoregistry.GlobalTypes.
package jsonmsg

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/dyngate/dyngate/internal/codec"
)

func orGlobal(types codec.Types) codec.Types {
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
