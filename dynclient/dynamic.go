package dynclient

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/internal/codec"
)

// Invoke calls a unary method, pkg.Service/Method. in is one of
//
//	json.RawMessage   protobuf's JSON form
//	map[string]any    the same, as encoding/json decodes it
//	*Dynamic          a message built by reflection
//	proto.Message     any other message of the method's request type
//
// and out is a pointer to one of the first three, or a proto.Message; Invoke
// overwrites it. JSON and maps follow protobuf's JSON form: 64-bit integers are
// strings, enums are names, bytes are base64. The type of an Any may be any
// type of the schema. A field that the request's type does not have is an error
// that lists its fields.
//
// Lookups in the schema use the call's context and metadata. Invoke costs
// several times as much as a typed stub.
func (c *Client) Invoke(ctx context.Context, method string, in, out any, opts ...grpc.CallOption) error {
	if err := checkOut(out); err != nil {
		return err
	}
	ctx, cancel, opts := prepare(ctx, opts)
	defer cancel()
	m, err := c.lookup(ctx, method)
	if err != nil {
		return c.notFound(ctx, method, err)
	}
	if shape := codec.ShapeOf(m); shape != (codec.Shape{}) {
		return fmt.Errorf("%s is %s: use Stream", m.Path(), shape)
	}
	types := c.schema.Types(ctx, m)
	request, err := encodeValue(in, m.Input(), types)
	if err != nil {
		return c.unencodable(m, err)
	}
	reply, err := c.invoke(ctx, m, "/"+m.Path(), request, opts)
	if err != nil {
		return err
	}
	if err := decodeValue(reply, out, m.Output(), types); err != nil {
		return c.undecodable(m, err)
	}
	return nil
}

// notFound returns the error of a call whose method was not found. If the
// context has ended, it is an [*Error] with the context's status.
func (c *Client) notFound(ctx context.Context, method string, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return &Error{
		Method: method, Target: c.target, status: status.FromContextError(ctx.Err()),
		types: func(ctx context.Context) Types { return c.schema.Types(ctx, nil) },
	}
}

// Stream is a call of any shape. One goroutine may call Send while another
// calls Recv, but two goroutines must not call the same method at once.
type Stream struct {
	wire  *wireStream
	types Types // for requests
	seen  Types // for responses
}

// Stream starts a call of a method, pkg.Service/Method, of any shape. The
// caller must call Recv until it returns an error, close the stream, or end
// ctx.
func (c *Client) Stream(ctx context.Context, method string, opts ...grpc.CallOption) (*Stream, error) {
	ctx, release, opts := prepare(ctx, opts)
	m, err := c.lookup(ctx, method)
	if err != nil {
		defer release()
		return nil, c.notFound(ctx, method, err)
	}
	return c.stream(ctx, release, m, opts)
}

// StreamMethod is like Stream for a method from the schema.
func (c *Client) StreamMethod(ctx context.Context, m *Method, opts ...grpc.CallOption) (*Stream, error) {
	ctx, release, opts := prepare(ctx, opts)
	return c.stream(ctx, release, m, opts)
}

func (c *Client) stream(ctx context.Context, release func(), m *Method, opts []grpc.CallOption) (*Stream, error) {
	desc := &grpc.StreamDesc{ClientStreams: m.IsStreamingClient(), ServerStreams: m.IsStreamingServer()}
	w, err := c.open(ctx, release, m, desc, opts)
	if err != nil {
		return nil, err
	}
	return &Stream{wire: w, types: c.schema.Types(w.ctx, m), seen: c.schema.Types(w.ctx, m)}, nil
}

// Method returns the method of the call.
func (s *Stream) Method() *Method { return s.wire.method }

// Send sends a request: a value that [Client.Invoke] accepts as in. io.EOF
// means that the call has ended; Recv returns its error. A method that does not
// stream its requests takes one.
func (s *Stream) Send(in any) error {
	buf, err := encodeValue(in, s.wire.method.Input(), s.types)
	if err != nil {
		return s.wire.client.unencodable(s.wire.method, err)
	}
	return s.wire.sendBytes(buf)
}

// CloseSend tells the server that there are no more requests.
func (s *Stream) CloseSend() { s.wire.closeSend() }

// Recv receives a response into out: a value that [Client.Invoke] accepts as
// out. The error is io.EOF if the call has ended without an error, or else an
// [*Error].
func (s *Stream) Recv(out any) error {
	if err := checkOut(out); err != nil {
		return err
	}
	data, err := s.wire.recvBytes()
	if err != nil {
		return err
	}
	if err := decodeValue(data, out, s.wire.method.Output(), s.seen); err != nil {
		return s.wire.client.undecodable(s.wire.method, err)
	}
	return nil
}

// Header waits for the metadata that the server sends first.
func (s *Stream) Header() (metadata.MD, error) {
	md, err := s.wire.stream.Header()
	if err != nil {
		return nil, s.wire.client.failure(s.wire.method, err)
	}
	return md, nil
}

// Trailer returns the metadata that the server sent last, once Recv has returned
// an error.
func (s *Stream) Trailer() metadata.MD { return s.wire.stream.Trailer() }

// Close cancels the call, unless it has ended, and frees its resources. It is
// safe to call it more than once.
func (s *Stream) Close() { s.wire.end() }
