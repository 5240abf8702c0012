package grpcfront

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// codec hands the bytes of calls through as they are. All messages that reach it
// are calls; messages is for generated ones inside of them.
type codec struct {
	messages encoding.CodecV2
	packed   *packed
}

func newCodec() codec { return codec{messages: encoding.GetCodecV2(proto.Name), packed: new(packed)} }

// Name implements encoding.CodecV2.
func (codec) Name() string { return proto.Name }

// Marshal implements encoding.CodecV2. grpc frees what it returns.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	call, ok := v.(*call)
	if !ok {
		return c.messages.Marshal(v)
	}
	out := call.conn.releaseAfter(call.out, call.outCost)
	call.out = nil
	return out, nil
}

// Unmarshal implements encoding.CodecV2. grpc frees data when it returns.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	call, ok := v.(*call)
	if !ok {
		return c.messages.Unmarshal(data, v)
	}
	data.Ref()
	call.in, call.packed = data, call.compressed && c.packed.take(data)
	return nil
}
