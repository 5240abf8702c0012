package webfront

import (
	"fmt"
	"net/http"
	"strings"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/internal/codec/transcode"
)

// frame carries a message from and to connect, as bytes in the format of the call.
type frame struct{ data mem.BufferSlice }

// codec is a connect.Codec of frames. The calls themselves convert JSON, because only
// they know the types.
type codec struct {
	name string
	json bool
}

// Name implements connect.Codec.
func (c codec) Name() string { return c.name }

// Marshal implements connect.Codec.
func (c codec) Marshal(v any) ([]byte, error) { return c.MarshalAppend(nil, v) }

// MarshalAppend is found by connect. It frees a frame. connect also marshals the
// statuses of gRPC with it.
func (codec) MarshalAppend(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case *frame:
		for _, part := range v.data {
			dst = append(dst, part.ReadOnlyData()...)
		}
		v.data.Free()
		v.data = nil
		return dst, nil
	case proto.Message:
		return proto.MarshalOptions{}.MarshalAppend(dst, v)
	}
	return nil, fmt.Errorf("%T is not a message", v)
}

// Unmarshal implements connect.Codec. The bytes belong to connect.
func (codec) Unmarshal(data []byte, v any) error {
	in, ok := v.(*frame)
	if !ok {
		return fmt.Errorf("%T is not a message", v)
	}
	in.data = mem.BufferSlice{mem.Copy(data, mem.DefaultBufferPool())}
	return nil
}

// isJSON reports whether the messages of a request are JSON.
func isJSON(r *http.Request, content string) bool {
	if r.Method == http.MethodGet {
		return strings.HasPrefix(r.URL.Query().Get("encoding"), "json")
	}
	return strings.HasSuffix(content, "json")
}

// plan returns the plan of a message type, as the method's own file sees it.
func plan(m *handlers.Method, md protoreflect.MessageDescriptor) *transcode.Plan {
	if types, ok := m.Types.(interface{ JSONPlans() *transcode.Plans }); ok {
		return types.JSONPlans().Plan(md)
	}
	return transcode.NewPlans(m.Types).Plan(md)
}

// toWire converts a request from JSON and frees it. Unknown fields are ignored, as
// Connect's implementations do, so that clients may have a newer schema.
func toWire(m *handlers.Method, text mem.BufferSlice) (mem.BufferSlice, error) {
	defer text.Free()
	doc := text.MaterializeToBuffer(mem.DefaultBufferPool())
	defer doc.Free()
	return fill(doc.Len()+64, func(dst []byte) ([]byte, error) {
		return plan(m, m.Input()).AppendWire(dst, doc.ReadOnlyData(), transcode.DecodeOptions{IgnoreUnknown: true})
	})
}

// toJSON converts a response to JSON and frees it.
func toJSON(m *handlers.Method, wire mem.BufferSlice) (mem.BufferSlice, error) {
	defer wire.Free()
	msg := wire.MaterializeToBuffer(mem.DefaultBufferPool())
	defer msg.Free()
	return fill(2*msg.Len()+64, func(dst []byte) ([]byte, error) {
		return plan(m, m.Output()).AppendJSON(dst, msg.ReadOnlyData(), transcode.EncodeOptions{})
	})
}

// fill returns a buffer with what write appends, which is about size bytes.
func fill(size int, write func(dst []byte) ([]byte, error)) (mem.BufferSlice, error) {
	if mem.IsBelowBufferPoolingThreshold(size) {
		data, err := write(make([]byte, 0, size))
		if err != nil {
			return nil, err
		}
		return mem.BufferSlice{mem.SliceBuffer(data)}, nil
	}
	pool := mem.DefaultBufferPool()
	space := pool.Get(size)
	data, err := write((*space)[:0])
	if err != nil || cap(data) != cap(*space) { // it failed, or data grew
		pool.Put(space)
		if err != nil {
			return nil, err
		}
		return mem.BufferSlice{mem.SliceBuffer(data)}, nil
	}
	*space = data
	return mem.BufferSlice{mem.NewBuffer(space, pool)}, nil
}
