package grpcfront

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
)

// grpc-go takes every call of an unknown service for bidirectional streaming.
// What follows tells those who observe calls the shape that the schema says when
// they ask; a reload may come before the call is served.

// shape returns the shape of a method, if it is known.
func (s *Server) shape(path string) (client, server, ok bool) {
	route := s.current.Load().Route(path)
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
