// Package grpcfront speaks gRPC on grpc-go's own transport. Its one handler for
// services that the grpc.Server does not know is what lets services come,
// change and go while the server runs: RegisterService is fatal after Serve.
package grpcfront

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers"
)

// New returns a grpc.Server that serves every call of the generation that
// current returns when the call begins. current is called for each call, from
// many goroutines.
func New(opts Options, current func() *dispatch.Generation) *grpc.Server {
	f := &front{current: current}
	return grpc.NewServer(append(opts.serverOptions(f),
		grpc.ForceServerCodecV2(newCodec()),
		grpc.UnknownServiceHandler(f.serve))...)
}

type front struct{ current func() *dispatch.Generation }

// serve is a grpc.StreamHandler.
func (f *front) serve(_ any, stream grpc.ServerStream) error {
	ctx := stream.Context()
	transport := grpc.ServerTransportStreamFromContext(ctx)
	if transport == nil {
		return status.Error(codes.Internal, "the stream has no method")
	}
	generation := f.current()
	route := generation.Route(transport.Method())
	if route == nil {
		return generation.Unknown(transport.Method())
	}
	if err := checkContent(ctx, transport); err != nil {
		return err
	}
	return route.Serve(ctx, &call{stream: stream, method: route.Method})
}

// checkContent makes sure that messages are protobuf. grpc-go itself only makes
// sure that the content-type begins with application/grpc.
func checkContent(ctx context.Context, transport grpc.ServerTransportStream) error {
	// What grpc's streams know of it settles nearly every call, and costs less
	// than a look into the metadata.
	if t, ok := transport.(interface{ ContentSubtype() string }); ok {
		if subtype := t.ContentSubtype(); subtype == "" || subtype == "proto" {
			return nil
		}
	}
	types := metadata.ValueFromIncomingContext(ctx, "content-type")
	if len(types) == 1 && !protoContent(types[0]) {
		return status.Errorf(codes.Unimplemented, "content-type %q is not supported: use application/grpc+proto", types[0])
	}
	return nil
}

// protoContent reports whether messages of a content-type are protobuf.
func protoContent(contentType string) bool {
	subtype, _, _ := strings.Cut(strings.TrimPrefix(contentType, "application/grpc"), ";")
	return subtype == "" || subtype == "+proto"
}

// call is a handlers.Call on a gRPC stream. grpc's codec fills in and takes
// out; receiving and sending do not share state, as they may run at once.
type call struct {
	stream  grpc.ServerStream
	method  *handlers.Method
	in, out mem.BufferSlice
}

func (c *call) Method() *handlers.Method { return c.method }

func (c *call) Recv() (mem.BufferSlice, error) {
	if err := c.stream.RecvMsg(c); err != nil {
		return nil, err
	}
	in := c.in
	c.in = nil
	return in, nil
}

func (c *call) Send(data mem.BufferSlice) error {
	c.out = data
	return c.stream.SendMsg(c)
}
