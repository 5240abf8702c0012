package grpcfront

import (
	"fmt"

	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// codec hands the bytes of calls through as they are. All messages that reach it
// are calls.
type codec struct{ packed *packed }

// Name implements encoding.CodecV2.
func (codec) Name() string { return proto.Name }

// Marshal implements encoding.CodecV2. grpc frees what it returns.
func (codec) Marshal(v any) (mem.BufferSlice, error) {
	call, ok := v.(*call)
	if !ok {
		return nil, fmt.Errorf("cannot encode %T: interceptors must send what they are given", v)
	}
	out := call.conn.releaseAfter(call.out, call.outCost)
	call.out = nil
	return out, nil
}

// Unmarshal implements encoding.CodecV2. grpc frees data when it returns.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	call, ok := v.(*call)
	if !ok {
		return fmt.Errorf("cannot decode into %T: interceptors must receive into what they are given", v)
	}
	data.Ref()
	call.in, call.packed = data, call.compressed && c.packed.take(data)
	return nil
}
