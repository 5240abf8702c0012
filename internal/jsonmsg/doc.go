// Package jsonmsg converts protobuf's JSON to messages and back, with errors that
// say where a document is wrong and what is expected there.
//
// google.golang.org/protobuf's protojson decides which JSON is valid for a message.
// Decode accepts what protojson accepts, to a depth of 100 levels. Encode writes
// what protojson writes, with three exceptions. White space is the same in every
// build. Required fields may be missing. And a google.protobuf.Any of an unknown
// type, or whose bytes are not a message of its type, is
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

// noPanic turns a panic into an error: protojson and some types panic for schemas
// that redefine well-known types, and for hostile bytes.
func noPanic(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the message cannot be handled: %v", r)
	}
}
