package dynclient

import (
	"encoding/json"
	"fmt"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec"
	"github.com/dyngate/dyngate/internal/jsonmsg"
)

// encodeValue encodes a value of a dynamic call as a message of type md.
func encodeValue(v any, md protoreflect.MessageDescriptor, types Types) (mem.Buffer, error) {
	var m protoreflect.Message
	switch v := v.(type) {
	case json.RawMessage:
		m = codec.NewDynamic(md, types)
		if err := jsonmsg.Decode(v, m.Interface(), types); err != nil {
			return nil, err
		}
	case map[string]any:
		m = codec.NewDynamic(md, types)
		if err := jsonmsg.FromMap(v, m.Interface(), types); err != nil {
			return nil, err
		}
	case *Dynamic:
		if v != nil {
			m = v.Message
		}
	case proto.Message:
		m = v.ProtoReflect()
	default:
		return nil, fmt.Errorf("%T is not supported: use json.RawMessage, map[string]any, *Dynamic or proto.Message; only typed stubs take structs", v)
	}
	return codec.BindDynamic(md, types).Marshal(&Dynamic{Message: m})
}

// decodeValue decodes a message of type md into v, and frees data.
func decodeValue(data mem.BufferSlice, v any, md protoreflect.MessageDescriptor, types Types) error {
	defer data.Free()
	b := data.Materialize()
	if m, ok := v.(proto.Message); ok {
		if got := m.ProtoReflect().Descriptor().FullName(); got != md.FullName() {
			return fmt.Errorf("the response is a %s, not a %s", md.FullName(), got)
		}
		return codec.Decode(b, m, types)
	}
	m := codec.NewDynamic(md, types).Interface()
	if err := codec.Decode(b, m, types); err != nil {
		return err
	}
	switch v := v.(type) {
	case *json.RawMessage:
		text, err := jsonmsg.Encode(m, types, jsonmsg.EncodeOptions{})
		*v = text
		return err
	case *map[string]any:
		fields, err := jsonmsg.ToMap(m, types, jsonmsg.EncodeOptions{})
		*v = fields
		return err
	case *Dynamic:
		v.Message = m.ProtoReflect()
		return nil
	}
	return checkOut(v)
}

// checkOut returns an error if v cannot hold a response.
func checkOut(v any) error {
	var ok bool
	switch v := v.(type) {
	case *json.RawMessage:
		ok = v != nil
	case *map[string]any:
		ok = v != nil
	case *Dynamic:
		ok = v != nil
	case proto.Message:
		ok = v.ProtoReflect().IsValid()
	default:
		return fmt.Errorf("%T is not supported: use *json.RawMessage, *map[string]any, *Dynamic or proto.Message; only typed stubs take structs", v)
	}
	if !ok {
		return fmt.Errorf("cannot write the response to a nil %T", v)
	}
	return nil
}
