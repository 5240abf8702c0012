package webfront

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynserver/internal/httpcall"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/internal/codec/transcode"
)

// frame carries a message from and to connect, in the format of the call.
type frame struct {
	data mem.BufferSlice // of protobuf
	text *bytes.Buffer   // JSON; from texts
}

// texts are buffers of JSON, for as long as a message is converted.
var texts = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxText is the size of the largest buffer that is kept.
const maxText = 1 << 20

func newText() *bytes.Buffer {
	text := texts.Get().(*bytes.Buffer) //nolint:forcetypeassert // it holds nothing else
	text.Reset()
	return text
}

func freeText(text *bytes.Buffer) {
	if text.Cap() <= maxText {
		texts.Put(text)
	}
}

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
		if v.text != nil {
			dst = append(dst, v.text.Bytes()...)
			freeText(v.text)
			v.text = nil
			return dst, nil
		}
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
func (c codec) Unmarshal(data []byte, v any) error {
	in, ok := v.(*frame)
	if !ok {
		return fmt.Errorf("%T is not a message", v)
	}
	if c.json {
		in.text = newText()
		in.text.Write(data)
		return nil
	}
	in.data = httpcall.Message(data, mem.DefaultBufferPool())
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
func toWire(m *handlers.Method, text *bytes.Buffer) (mem.BufferSlice, error) {
	defer freeText(text)
	pool := mem.DefaultBufferPool()
	in, opts := plan(m, m.Input()), transcode.DecodeOptions{IgnoreUnknown: true}
	size := text.Len() + 16
	if mem.IsBelowBufferPoolingThreshold(size) {
		space := newText()
		defer freeText(space)
		space.Grow(size)
		wire, err := in.AppendWire(space.AvailableBuffer(), text.Bytes(), opts)
		if err != nil {
			return nil, err
		}
		return httpcall.Message(wire, pool), nil
	}
	space := pool.Get(size)
	wire, err := in.AppendWire((*space)[:0], text.Bytes(), opts)
	switch {
	case err != nil:
		pool.Put(space)
		return nil, err
	case cap(wire) != cap(*space): // it has grown
		pool.Put(space)
		return mem.BufferSlice{mem.SliceBuffer(wire)}, nil
	}
	*space = wire
	return mem.BufferSlice{mem.NewBuffer(space, pool)}, nil
}

// toJSON converts a response to JSON and frees it.
func toJSON(m *handlers.Method, wire mem.BufferSlice) (*bytes.Buffer, error) {
	defer wire.Free()
	msg := wire.MaterializeToBuffer(mem.DefaultBufferPool())
	defer msg.Free()
	text := newText()
	text.Grow(2*msg.Len() + 64)
	all, err := plan(m, m.Output()).AppendJSON(text.AvailableBuffer(), msg.ReadOnlyData(), transcode.EncodeOptions{})
	if err != nil {
		freeText(text)
		return nil, err
	}
	if cap(all) > text.Cap() { // it has grown: keep the larger one
		return bytes.NewBuffer(all), nil
	}
	text.Write(all) // copies nothing: it is there
	return text, nil
}
