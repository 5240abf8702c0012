// Package jsonmsg turns protobuf's JSON into messages and back, for people: with
// errors that say where a document is wrong and what would be right, and with output
// for messages that are not complete.
//
// The format is that of package transcode. Encode is lenient: required fields may be
// missing, and a google.protobuf.Any of an unknown type, or whose bytes are not a
// message of its type, is
//
//	{"@type": "type.googleapis.com/shop.Item", "@value": "CgRuYW1l"}
//
// with its bytes in base64, as grpcurl shows it. Decode does not accept that.
//
// Types, where a function takes them, resolve the messages that are packed into
// google.protobuf.Any, and extensions. Nil means protoregistry.GlobalTypes.
package jsonmsg

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/dyngate/dyngate/internal/codec"
	"github.com/dyngate/dyngate/internal/codec/transcode"
)

func orGlobal(types codec.Types) codec.Types {
	if types == nil {
		return protoregistry.GlobalTypes
	}
	return types
}

// global are the plans of types that are linked into the program.
var global = transcode.NewPlans(nil)

// planOf returns the plan of a message. Types that have plans of their own, such as
// those of a schema, keep them for the next message.
func planOf(m proto.Message, types codec.Types) *transcode.Plan {
	md := m.ProtoReflect().Descriptor()
	switch types := types.(type) {
	case nil:
		return global.Plan(md)
	case interface{ JSONPlans() *transcode.Plans }:
		return types.JSONPlans().Plan(md)
	}
	return transcode.NewPlans(types).Plan(md)
}
