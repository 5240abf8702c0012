package grpcfront

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
)

// grpc-go treats every call of an unknown service as bidirectional streaming. What
// follows gives interceptors and stats handlers the shape of the current schema. A
// reload may change it before the call is served.

// shape returns the shape of a method, if it is known.
func (s *Server) shape(path string) (client, server, ok bool) {
	route := s.current.Load().Route(path)
	if route == nil {
		return false, false, false
	}
	return route.Method.IsStreamingClient(), route.Method.IsStreamingServer(), true
}

// trueInfo is the first interceptor. grpc makes one StreamServerInfo for each call and
// gives it to every interceptor, so correcting it here corrects it for all.
func (s *Server) trueInfo(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if client, server, ok := s.shape(info.FullMethod); ok {
		info.IsClientStream, info.IsServerStream = client, server
	}
	return next(srv, stream)
}

// trueStats gives a stats.Handler the true shape of calls.
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
			corrected := *begin
			corrected.IsClientStream, corrected.IsServerStream = client, server
			rpc = &corrected
		}
	}
	t.Handler.HandleRPC(ctx, rpc)
}
