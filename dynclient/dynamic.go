package dynclient

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/internal/codec"
)

// Invoke calls a unary method, pkg.Service/Method, with what is at hand. in is
// one of
//
//	json.RawMessage   protobuf's JSON form
//	map[string]any    the same, as encoding/json has it
//	*Dynamic          a message that was built by reflection
//	proto.Message     any other message of the method's request type
//
// and out a pointer to one of the first three, or a proto.Message, to be
// overwritten. In JSON and maps, 64-bit integers are strings, enums are names
// and bytes are base64, as protobuf's JSON form has them; what an Any holds is
// resolved by the whole schema. A field that the request does not have is an
// error that names those it has.
//
// The schema is looked at with the call's context and metadata. It costs several
// times what a typed stub does.
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

// notFound returns the error of a call whose method was not found: that of its
// context if it has ended meanwhile, with a status, as for any other call.
func (c *Client) notFound(ctx context.Context, method string, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return &Error{
		Method: method, Target: c.target, status: status.FromContextError(ctx.Err()),
		types: func(ctx context.Context) Types { return c.schema.Types(ctx, nil) },
	}
}

// Stream is a call of any shape. One goroutine may Send while another Recvs;
// neither may be called by two at once.
type Stream struct {
	wire  *wireStream
	types Types // of what is sent
	seen  Types // of what is received
}

// Stream begins a call of a method, pkg.Service/Method, of any shape. The caller
// must Recv until there is an error, Close the stream, or end ctx.
func (c *Client) Stream(ctx context.Context, method string, opts ...grpc.CallOption) (*Stream, error) {
	ctx, release, opts := prepare(ctx, opts)
	m, err := c.lookup(ctx, method)
	if err != nil {
		defer release()
		return nil, c.notFound(ctx, method, err)
	}
	return c.stream(ctx, release, m, opts)
}

// StreamMethod is Stream for a method that was looked up already.
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

// Method returns the method that is called.
func (s *Stream) Method() *Method { return s.wire.method }

// Send sends a request, which may be what in may be in [Client.Invoke]. An
// io.EOF says that the call has ended: Recv tells how. A method that does not
// stream its requests takes one.
func (s *Stream) Send(in any) error {
	buf, err := encodeValue(in, s.wire.method.Input(), s.types)
	if err != nil {
		return s.wire.client.unencodable(s.wire.method, err)
	}
	return s.wire.sendBytes(buf)
}

// CloseSend says that no more requests come.
func (s *Stream) CloseSend() { s.wire.closeSend() }

// Recv receives a response into out, which may be what it may be in
// [Client.Invoke]. The error is io.EOF when the call has ended well, else an
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

// Close cancels the call, unless it has ended, and frees what it holds. It is
// safe to call it more than once.
func (s *Stream) Close() { s.wire.end() }
