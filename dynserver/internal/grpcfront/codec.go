package grpcfront

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// codec hands the bytes of dispatched calls through as they are. Forcing a
// codec on a server reaches all its services, so the generated messages of
// reflection and health go to grpc's own.
type codec struct{ messages encoding.CodecV2 }

func newCodec() codec { return codec{messages: encoding.GetCodecV2(proto.Name)} }

// Name implements encoding.CodecV2.
func (codec) Name() string { return proto.Name }

// Marshal implements encoding.CodecV2. grpc frees what it returns.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if call, ok := v.(*call); ok {
		return call.out, nil
	}
	return c.messages.Marshal(v)
}

// Unmarshal implements encoding.CodecV2. grpc frees data when it returns.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if call, ok := v.(*call); ok {
		data.Ref()
		call.in = data
		return nil
	}
	return c.messages.Unmarshal(data, v)
}
