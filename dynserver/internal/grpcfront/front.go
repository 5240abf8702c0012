// Package grpcfront speaks gRPC on grpc-go's own transport. Its one handler for
// services that the grpc.Server does not know is what lets services come,
// change and go while the server runs: RegisterService is fatal after Serve.
package grpcfront

import (
	"context"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers"
)

// Server is a grpc.Server that serves the calls of generations.
type Server struct {
	*grpc.Server
	current func() *dispatch.Generation
	active  atomic.Int64
}

// New returns a server for the generation that current returns when a call
// begins. current is called from many goroutines.
func New(opts Options, current func() *dispatch.Generation) *Server {
	s := &Server{current: current}
	s.Server = grpc.NewServer(append(opts.serverOptions(s),
		grpc.ForceServerCodecV2(newCodec()),
		grpc.UnknownServiceHandler(s.serve))...)
	return s
}

// Active is the number of calls in progress, without those of the services that
// are registered on the grpc.Server.
func (s *Server) Active() int { return int(s.active.Load()) }

// serve is a grpc.StreamHandler.
func (s *Server) serve(_ any, stream grpc.ServerStream) error {
	s.active.Add(1)
	defer s.active.Add(-1)
	ctx := stream.Context()
	transport := grpc.ServerTransportStreamFromContext(ctx)
	if transport == nil {
		return status.Error(codes.Internal, "the stream has no method")
	}
	generation := s.current()
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
