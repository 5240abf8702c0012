// Package discovery tells clients what the server serves and whether it does:
// gRPC reflection and health, both following the current generation.
package discovery

import (
	"io"
	"maps"
	"slices"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"
	v1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	v1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
)

// RegisterReflection registers grpc.reflection.v1 and v1alpha for what current
// returns, and for the services that are registered on s, which must be all by
// now. It returns the latter with their methods, reflection included.
//
// grpc's implementation remembers, for the life of a stream, which files it has
// sent. Here each request is answered by a session of it that belongs to the
// current generation; a reload begins a new one, so that a client that keeps
// its stream is shown the new schema, whole. While a service is stale each
// request has a session of its own, as the stale service's files may be older
// versions of files that were sent for others.
func RegisterReflection(s reflection.GRPCServer, current func() *dispatch.Generation) map[string][]string {
	r := &reflector{current: current}
	v1.RegisterServerReflectionServer(s, reflectionV1{reflector: r})
	v1alpha.RegisterServerReflectionServer(s, reflectionV1Alpha{reflector: r})
	builtin := make(map[string][]string)
	for name, info := range s.GetServiceInfo() {
		for _, m := range info.Methods {
			builtin[name] = append(builtin[name], m.Name)
		}
	}
	r.builtin = slices.Sorted(maps.Keys(builtin))
	return builtin
}

// reflector makes the options of a session.
type reflector struct {
	current func() *dispatch.Generation
	builtin []string
	last    atomic.Pointer[index] // of the generation that was asked about last
}

func (r *reflector) options(g *dispatch.Generation) reflection.ServerOptions {
	x := r.last.Load()
	if x == nil || x.generation != g {
		x = newIndex(g, r.builtin)
		r.last.Store(x)
	}
	return reflection.ServerOptions{Services: x, DescriptorResolver: x, ExtensionResolver: x}
}

type reflectionV1 struct {
	v1.UnimplementedServerReflectionServer
	*reflector
}

func (r reflectionV1) ServerReflectionInfo(stream v1.ServerReflection_ServerReflectionInfoServer) error {
	return eachGeneration(stream, r.current, func(g *dispatch.Generation, s v1.ServerReflection_ServerReflectionInfoServer) error {
		return reflection.NewServerV1(r.options(g)).ServerReflectionInfo(s)
	})
}

type reflectionV1Alpha struct {
	v1alpha.UnimplementedServerReflectionServer
	*reflector
}

func (r reflectionV1Alpha) ServerReflectionInfo(stream v1alpha.ServerReflection_ServerReflectionInfoServer) error {
	return eachGeneration(stream, r.current, func(g *dispatch.Generation, s v1alpha.ServerReflection_ServerReflectionInfoServer) error {
		return reflection.NewServer(r.options(g)).ServerReflectionInfo(s)
	})
}

// eachGeneration serves a stream in sessions, one for each generation that its
// requests meet.
func eachGeneration[Req, Res any](
	stream grpc.BidiStreamingServer[Req, Res],
	current func() *dispatch.Generation,
	serve func(*dispatch.Generation, grpc.BidiStreamingServer[Req, Res]) error,
) error {
	next, err := stream.Recv()
	if err == io.EOF {
		return nil
	}
	if err != nil {
		return err
	}
	for {
		g := current()
		stale := g.AnyStale()
		s := &session[Req, Res]{BidiStreamingServer: stream, next: next, ended: func() bool { return stale || current() != g }}
		if err := serve(g, s); err != nil {
			return err
		}
		if next = s.next; next == nil {
			return nil
		}
	}
}

// session is a stream that seems to end when its generation is no longer the
// current one. next is then the request that belongs to the next session.
type session[Req, Res any] struct {
	grpc.BidiStreamingServer[Req, Res]
	next  *Req
	ended func() bool
}

func (s *session[Req, Res]) Recv() (*Req, error) {
	if req := s.next; req != nil {
		s.next = nil
		return req, nil
	}
	req, err := s.BidiStreamingServer.Recv()
	if err != nil {
		return nil, err
	}
	if s.ended() {
		s.next = req
		return nil, io.EOF
	}
	return req, nil
}
