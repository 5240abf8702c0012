package grpcfront

import (
	"context"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// grpc-go takes every call of an unknown service for bidirectional streaming.
// What follows tells those who observe calls the shape that the schema says when
// they ask; a reload may come before the call is served.

// shape returns the shape of a method, if it is dispatched.
func (s *Server) shape(path string) (client, server, ok bool) {
	route := s.current().Route(path)
	if route == nil {
		return false, false, false
	}
	return route.Method.IsStreamingClient(), route.Method.IsStreamingServer(), true
}

// trueInfo is the first interceptor. grpc makes one StreamServerInfo for each
// call and hands it to every interceptor, so mending it here mends it for all.
func (s *Server) trueInfo(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if client, server, ok := s.shape(info.FullMethod); ok {
		info.IsClientStream, info.IsServerStream = client, server
	}
	return next(srv, stream)
}

// trueStats is a stats.Handler that is told the true shape of calls.
type trueStats struct {
	stats.Handler
	server *Server
}

type pathKey struct{}

func (t trueStats) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	return t.Handler.TagRPC(context.WithValue(ctx, pathKey{}, info.FullMethodName), info)
}

func (t trueStats) HandleRPC(ctx context.Context, rpc stats.RPCStats) {
	if begin, ok := rpc.(*stats.Begin); ok {
		path, _ := ctx.Value(pathKey{}).(string)
		if client, server, ok := t.server.shape(path); ok {
			mended := *begin
			mended.IsClientStream, mended.IsServerStream = client, server
			rpc = &mended
		}
	}
	t.Handler.HandleRPC(ctx, rpc)
}

// asUnary runs stream interceptors around the unary calls of services that are
// registered on the grpc.Server, so that what guards calls guards all of them.
func asUnary(chain []grpc.StreamServerInterceptor) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (reply any, err error) {
		next := func(_ any, stream grpc.ServerStream) (err error) {
			reply, err = handler(stream.Context(), req)
			return err
		}
		for _, intercept := range slices.Backward(chain) {
			inner := next
			next = func(srv any, stream grpc.ServerStream) error {
				return intercept(srv, stream, &grpc.StreamServerInfo{FullMethod: info.FullMethod}, inner)
			}
		}
		if err := next(info.Server, contextStream{ctx: ctx}); err != nil {
			return nil, err
		}
		return reply, nil
	}
}

// contextStream is the stream of a unary call: a context with which metadata can
// be sent. Messages do not pass through it.
type contextStream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // a stream has one
}

func (c contextStream) Context() context.Context        { return c.ctx }
func (c contextStream) SetHeader(md metadata.MD) error  { return grpc.SetHeader(c.ctx, md) }
func (c contextStream) SendHeader(md metadata.MD) error { return grpc.SendHeader(c.ctx, md) }
func (c contextStream) SetTrailer(md metadata.MD)       { _ = grpc.SetTrailer(c.ctx, md) }
func (contextStream) SendMsg(any) error                 { return errNoMessages }
func (contextStream) RecvMsg(any) error                 { return errNoMessages }

var errNoMessages = status.Error(codes.Internal, "messages of this call do not pass through interceptors")
