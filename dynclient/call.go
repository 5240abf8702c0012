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

// Timeout is a call option that ends the call after d, if its context does not
// end it before. d <= 0 is no limit.
func Timeout(d time.Duration) grpc.CallOption { return timeoutOption{timeout: d} }

// Metadata is a call option that sends metadata, besides that in the call's
// context. The values of keys that end in -bin may be any bytes.
func Metadata(md metadata.MD) grpc.CallOption { return metadataOption{md: md} }

type timeoutOption struct {
	grpc.EmptyCallOption
	timeout time.Duration
}

type metadataOption struct {
	grpc.EmptyCallOption
	md metadata.MD
}

// callOptions are those of every call: messages are bytes here, and methods are
// few enough to be told apart in statistics.
var callOptions = []grpc.CallOption{grpc.ForceCodecV2(frameCodec{}), grpc.StaticMethod()}

// prepare applies the options of this package to the context, and adds those
// that every call has.
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

// frame is a message as bytes, on its way through grpc. It holds a reference of
// its own, for an interceptor may send it again.
type frame struct{ data mem.BufferSlice }

// frameCodec hands frames through as they are.
type frameCodec struct{}

// Name implements encoding.CodecV2.
func (frameCodec) Name() string { return proto.Name }

// Marshal implements encoding.CodecV2. grpc frees what it returns.
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

// invoke makes a unary call of bytes, its context and options prepared. It takes
// ownership of in; the caller must free what it returns.
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

// answersOf are the texts by which alone grpc-go tells that a server answered none
// or several times where one answer is due. It calls that INTERNAL; the gRPC
// specification (doc/statuscodes.md) has UNIMPLEMENTED.
var answersOf = map[string]string{
	"cardinality violation: received no response message from non-server-streaming RPC":                 "no answer",
	"cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message": "several",
}

// failure makes a call's error of what grpc, or an encoder, says.
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

// unencodable and undecodable are failures on this side of the wire.

func (c *Client) unencodable(m *Method, err error) error {
	return c.failure(m, status.Errorf(codes.InvalidArgument, "cannot encode the request: %v", err))
}

func (c *Client) undecodable(m *Method, err error) error {
	return c.failure(m, status.Errorf(codes.Internal, "cannot decode the response: %v", err))
}
