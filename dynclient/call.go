package dynclient

import (
	"context"
	"errors"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Timeout returns a call option that ends the call after d. An earlier deadline
// of the context takes precedence. d <= 0 means no limit.
func Timeout(d time.Duration) grpc.CallOption { return timeoutOption{timeout: d} }

// Metadata returns a call option that sends metadata in addition to the
// context's. The values of keys that end in -bin may be any bytes.
func Metadata(md metadata.MD) grpc.CallOption { return metadataOption{md: md} }

type timeoutOption struct {
	grpc.EmptyCallOption
	timeout time.Duration
}

type metadataOption struct {
	grpc.EmptyCallOption
	md metadata.MD
}

// callOptions apply to every call: messages are bytes, and the number of
// methods is small enough for statistics by method.
var callOptions = []grpc.CallOption{grpc.ForceCodecV2(frameCodec{}), grpc.StaticMethod()}

// prepare applies this package's options to the context, and prepends
// callOptions to opts.
func prepare(ctx context.Context, opts []grpc.CallOption) (context.Context, context.CancelFunc, []grpc.CallOption) {
	if len(opts) == 0 {
		return ctx, func() {}, callOptions
	}
	cancel := func() {}
	for _, o := range opts {
		switch o := o.(type) {
		case timeoutOption:
			if o.timeout > 0 {
				previous := cancel
				var end context.CancelFunc
				ctx, end = context.WithTimeout(ctx, o.timeout)
				cancel = func() { end(); previous() }
			}
		case metadataOption:
			sent, _ := metadata.FromOutgoingContext(ctx)
			ctx = metadata.NewOutgoingContext(ctx, metadata.Join(sent, o.md))
		}
	}
	return ctx, cancel, slices.Concat(callOptions, opts)
}

// frame passes the bytes of a message through grpc. It holds its own reference,
// because an interceptor may send it again.
type frame struct{ data mem.BufferSlice }

// frameCodec passes frames through unchanged.
type frameCodec struct{}

// Name implements encoding.CodecV2.
func (frameCodec) Name() string { return proto.Name }

// Marshal implements encoding.CodecV2. grpc frees the result.
func (frameCodec) Marshal(v any) (mem.BufferSlice, error) {
	f, ok := v.(*frame)
	if !ok {
		return nil, errForeign
	}
	f.data.Ref()
	return f.data, nil
}

// Unmarshal implements encoding.CodecV2. grpc frees data when it returns.
func (frameCodec) Unmarshal(data mem.BufferSlice, v any) error {
	f, ok := v.(*frame)
	if !ok {
		return errForeign
	}
	f.data.Free()
	data.Ref()
	f.data = data
	return nil
}

var errForeign = errors.New("dynclient: an interceptor replaced the message")

// invoke makes a unary call with a prepared context and options. It takes
// ownership of in; the caller must free the result.
func (c *Client) invoke(ctx context.Context, m *Method, path string, in mem.Buffer, opts []grpc.CallOption) (mem.BufferSlice, error) {
	var f struct { // one allocation
		request, reply frame
		in             [1]mem.Buffer
	}
	f.in[0] = in
	f.request.data = f.in[:]
	err := c.conn.Invoke(ctx, path, &f.request, &f.reply, opts...)
	in.Free()
	if err != nil {
		f.reply.data.Free()
		return nil, c.failure(m, err)
	}
	return f.reply.data, nil
}

// answersOf recognizes, by their text, the errors of grpc-go for a unary call
// with no response or several. grpc-go's code for them is INTERNAL; the gRPC
// specification (doc/statuscodes.md) says UNIMPLEMENTED.
var answersOf = map[string]string{
	"cardinality violation: received no response message from non-server-streaming RPC":                 "no answer",
	"cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message": "several",
}

// failure converts an error of grpc, or of an encoder, to the error of a call.
func (c *Client) failure(m *Method, err error) error {
	st, ok := status.FromError(err)
	if !ok {
		st = status.FromContextError(err)
	}
	if answers := answersOf[st.Message()]; answers != "" && st.Code() == codes.Internal {
		st = status.Newf(codes.Unimplemented, "%s answers once, but the server sent %s", m.Path(), answers)
	}
	if st.Code() == codes.Unimplemented {
		c.schema.suspect()
	}
	return &Error{
		Method: m.Path(), Target: c.target, status: st,
		types: func(ctx context.Context) Types { return c.schema.Types(ctx, m) },
	}
}

// unencodable and undecodable return the errors of calls whose messages the
// client cannot encode or decode.

func (c *Client) unencodable(m *Method, err error) error {
	return c.failure(m, status.Errorf(codes.InvalidArgument, "cannot encode the request: %v", err))
}

func (c *Client) undecodable(m *Method, err error) error {
	return c.failure(m, status.Errorf(codes.Internal, "cannot decode the response: %v", err))
}
