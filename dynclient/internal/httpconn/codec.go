package httpconn

import (
	"errors"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// payload is a message as bytes.
type payload struct{ data mem.BufferSlice }

// codec passes payloads through. connect also decodes google.rpc.Status with it.
type codec struct{}

var errForeign = errors.New("httpconn: the message is not a payload")

// Name implements [connect.Codec].
func (codec) Name() string { return "proto" }

// Marshal implements [connect.Codec].
func (c codec) Marshal(v any) ([]byte, error) { return c.MarshalAppend(nil, v) }

// MarshalAppend lets connect use its pooled buffers.
func (codec) MarshalAppend(dst []byte, v any) ([]byte, error) {
	p, ok := v.(*payload)
	if !ok {
		return nil, errForeign
	}
	for _, b := range p.data {
		dst = append(dst, b.ReadOnlyData()...)
	}
	return dst, nil
}

// Unmarshal implements [connect.Codec]. It copies data, which connect uses again.
func (codec) Unmarshal(data []byte, v any) error {
	switch v := v.(type) {
	case *payload:
		v.data = mem.BufferSlice{mem.Copy(data, mem.DefaultBufferPool())}
		return nil
	case proto.Message:
		return proto.Unmarshal(data, v)
	}
	return errForeign
}
