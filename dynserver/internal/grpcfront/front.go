// Package grpcfront speaks gRPC on grpc-go's own transport. Its one handler for
// services that the grpc.Server does not know is what lets services come,
// change and go while the server runs: RegisterService is fatal after Serve.
package grpcfront

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers"
)

// Server is a grpc.Server that serves the calls of generations.
type Server struct {
	server  *grpc.Server
	current *dispatch.Current
	codec   codec
	limiter *limiter
	maxRecv int
}

// New returns a server for the generation that is current when a call begins.
func New(opts Options, current *dispatch.Current, log *slog.Logger) *Server {
	s := &Server{current: current, codec: codec{new(packed)}, limiter: opts.limiter(log), maxRecv: opts.maxRecv()}
	s.server = grpc.NewServer(append(opts.serverOptions(s),
		grpc.ForceServerCodecV2(s.codec),
		grpc.UnknownServiceHandler(s.serve))...)
	return s
}

// Serve accepts connections until the server stops.
func (s *Server) Serve(lis net.Listener) error {
	if err := s.server.Serve(lis); !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil
}

// Stop closes all connections and listeners.
func (s *Server) Stop() {
	s.server.Stop()
	s.limiter.close()
}

// GracefulStop closes the listeners and waits for the calls in progress.
func (s *Server) GracefulStop() {
	s.server.GracefulStop()
	s.limiter.close()
}

// serve is a grpc.StreamHandler. It serves a call from the generation in which it
// begins.
func (s *Server) serve(_ any, stream grpc.ServerStream) error {
	ctx := stream.Context()
	transport := grpc.ServerTransportStreamFromContext(ctx)
	if transport == nil {
		return status.Error(codes.Internal, "the stream has no method")
	}
	conn := s.limiter.conn(ctx)
	if err := conn.hold(callCost); err != nil {
		return err
	}
	call := &call{stream: stream, conn: conn, maxRecv: s.maxRecv}
	call.held.Store(callCost)
	defer call.end()
	route, generation, err := s.current.Begin(transport.Method())
	if err != nil {
		return err
	}
	defer generation.Unpin()
	if err := checkContent(ctx, transport); err != nil {
		return err
	}
	call.compressed = isCompressed(transport)
	call.method = route.Method
	return route.Serve(ctx, call)
}

// isCompressed reports whether the requests of a call may be compressed.
func isCompressed(transport grpc.ServerTransportStream) bool {
	t, ok := transport.(interface{ RecvCompress() string })
	return ok && t.RecvCompress() != ""
}

// checkContent checks that messages are protobuf. grpc-go itself only checks that the
// content-type begins with application/grpc.
func checkContent(ctx context.Context, transport grpc.ServerTransportStream) error {
	// For nearly every call the stream's subtype decides, which costs less than a
	// look at the metadata.
	if t, ok := transport.(interface{ ContentSubtype() string }); ok {
		if subtype := t.ContentSubtype(); subtype == "" || subtype == "proto" {
			return nil
		}
	}
	types := metadata.ValueFromIncomingContext(ctx, "content-type")
	if len(types) == 1 && !protoContent(types[0]) {
		return status.Errorf(codes.Unimplemented, "content-type %q is not supported: %s", types[0], protocols)
	}
	return nil
}

// protoContent reports whether messages of a content-type are protobuf.
func protoContent(contentType string) bool {
	subtype, _, _ := strings.Cut(strings.TrimPrefix(contentType, "application/grpc"), ";")
	return subtype == "" || subtype == "+proto"
}

// call is a handlers.Call on a gRPC stream. The codec sets in and takes out.
// Receiving and sending share no state, as they may run at once.
type call struct {
	stream  grpc.ServerStream
	method  *handlers.Method
	conn    *conn
	maxRecv int
	held    atomic.Int64 // bytes of conn, for the call itself

	in         mem.BufferSlice
	compressed bool // requests may be compressed
	packed     bool // in is compressed
	answered   bool

	out     mem.BufferSlice
	outCost int64
}

// end releases what the call holds, except for answers that have not been read.
func (c *call) end() { c.conn.release(c.held.Swap(0)) }

func (c *call) Method() *handlers.Method { return c.method }

func (c *call) Peer() handlers.Peer {
	out := handlers.Peer{Protocol: "grpc"}
	if p, ok := peer.FromContext(c.stream.Context()); ok {
		out.Addr, out.LocalAddr = p.Addr, p.LocalAddr
		if info, ok := p.AuthInfo.(credentials.TLSInfo); ok {
			out.TLS = &info.State
		}
	}
	return out
}

func (c *call) Header() metadata.MD {
	md, _ := metadata.FromIncomingContext(c.stream.Context())
	return md
}

func (c *call) SetHeader(md metadata.MD) error  { return c.stream.SetHeader(md) }
func (c *call) SendHeader(md metadata.MD) error { return c.stream.SendHeader(md) }
func (c *call) SetTrailer(md metadata.MD)       { c.stream.SetTrailer(md) }

func (c *call) Recv() (mem.BufferSlice, error) {
	if err := c.stream.RecvMsg(c); err != nil {
		return nil, err
	}
	in := c.in
	c.in = nil
	if c.packed {
		return c.conn.inflate(c.stream.Context(), in, c.maxRecv)
	}
	return in, nil
}

func (c *call) Send(data mem.BufferSlice) error {
	if err := c.holdAnswer(data); err != nil {
		data.Free()
		return err
	}
	c.out, c.answered = data, true
	err := c.stream.SendMsg(c)
	if c.out != nil { // an interceptor did not pass it on to grpc
		c.conn.release(c.outCost)
		c.out.Free()
		c.out = nil
	}
	return err
}

// holdAnswer counts an answer as held by the connection. The only answer of a call is
// sent when its handler has returned, so the bytes that the call holds are then
// counted for the answer instead. The call may end meanwhile, because middleware need
// not wait for an answer.
func (c *call) holdAnswer(data mem.BufferSlice) error {
	if c.conn == nil {
		return nil
	}
	c.outCost = answerCostOf(data, !c.answered)
	have := int64(0)
	if c.method != nil && !c.method.IsStreamingServer() {
		have = c.held.Swap(0)
	}
	if have >= c.outCost {
		c.conn.release(have - c.outCost)
		return nil
	}
	err := c.conn.hold(c.outCost - have)
	if err != nil {
		c.conn.release(have)
	}
	return err
}
