package server

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestInterceptorsRefuse checks that interceptors can also refuse calls of the
// server's own services, and see the shape of the methods.
func TestInterceptorsRefuse(t *testing.T) {
	t.Parallel()
	var seen journal
	s := lab.Start(t, func(c *dynserver.Config) {
		c.Channelz = true
		c.GRPC.Interceptors = []grpc.StreamServerInterceptor{
			func(_ any, _ grpc.ServerStream, info *grpc.StreamServerInfo, _ grpc.StreamHandler) error {
				seen.add("%s %v %v", info.FullMethod, info.IsClientStream, info.IsServerStream)
				return status.Error(codes.Unauthenticated, "who are you?")
			},
		}
	})
	for path, shape := range map[string][2]bool{
		"/grpc.health.v1.Health/Check":                                   {false, false},
		"/grpc.health.v1.Health/List":                                    {false, false},
		"/grpc.health.v1.Health/Watch":                                   {false, true},
		"/grpc.channelz.v1.Channelz/GetServers":                          {false, false},
		"/grpc.channelz.v1.Channelz/GetTopChannels":                      {false, false},
		"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo":      {true, true},
		"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": {true, true},
		lab.Echo: {false, false},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			got, err := rig.Open(rig.Context(t), t, s.Conn, path).Send(nil).Done().All()
			if rig.WantCode(t, err, codes.Unauthenticated); len(got) > 0 {
				t.Errorf("answered %x", got)
			}
			if line := fmt.Sprintf("%s %v %v", path, shape[0], shape[1]); !seen.has(line) {
				t.Errorf("the interceptors have not seen %s", line)
			}
		})
	}
}

// TestInterceptorsAround checks that each interceptor runs once for a call, around
// the handler, and that callers get the error that it returns.
func TestInterceptorsAround(t *testing.T) {
	t.Parallel()
	var seen journal
	s := lab.Start(t, func(c *dynserver.Config) {
		around := func(name string) grpc.StreamServerInterceptor {
			return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
				seen.add("%s begins %s", name, info.FullMethod)
				err := next(srv, stream)
				seen.add("%s ends %s %v", name, info.FullMethod, status.Code(err))
				return err
			}
		}
		c.GRPC.Interceptors = []grpc.StreamServerInterceptor{around("outer"), around("inner")}
	})
	client := healthpb.NewHealthClient(s.Conn)
	res, err := client.Check(rig.Context(t), &healthpb.HealthCheckRequest{Service: "lab.Lab"})
	if err != nil || res.GetStatus() != serving {
		t.Errorf("health: %v, %v", res, err)
	}
	_, err = client.Check(rig.Context(t), &healthpb.HealthCheckRequest{Service: "no.Such"})
	rig.WantCode(t, err, codes.NotFound)
	const check = "/grpc.health.v1.Health/Check"
	want := []string{
		"outer begins " + check, "inner begins " + check, "inner ends " + check + " OK", "outer ends " + check + " OK",
		"outer begins " + check, "inner begins " + check, "inner ends " + check + " NotFound", "outer ends " + check + " NotFound",
	}
	if got := seen.all(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("seen:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestUnaryInterceptorsAreRefused checks that a server does not start with a unary
// interceptor: it would never run, and a check in it would silently be left out.
func TestUnaryInterceptorsAreRefused(t *testing.T) {
	t.Parallel()
	refuse := func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
		return nil, status.Error(codes.Unauthenticated, "who are you?")
	}
	_, err := rig.New(t, dynserver.Config{GRPC: dynserver.GRPCOptions{ServerOptions: []grpc.ServerOption{grpc.ChainUnaryInterceptor(refuse)}}})
	rig.WantText(t, fmt.Sprint(err), "GRPC.ServerOptions has a unary interceptor, which would never run: use a stream interceptor in GRPC.Interceptors")
}
