package tests

import (
	"context"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// locked is a server that takes nothing, reflection among it, without an
// authorization, sent once.
func locked(authorization string) []grpc.ServerOption {
	check := func(ctx context.Context) error {
		md, _ := metadata.FromIncomingContext(ctx)
		if slices.Equal(md["authorization"], []string{authorization}) {
			return nil
		}
		return status.Errorf(codes.Unauthenticated, "%d of authorization", len(md["authorization"]))
	}
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			if err := check(ctx); err != nil {
				return nil, err
			}
			return handler(ctx, in)
		}),
		grpc.ChainStreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			if err := check(stream.Context()); err != nil {
				return err
			}
			return handler(srv, stream)
		}),
	}
}

func TestHeadersGoToReflection(t *testing.T) {
	t.Parallel()
	addr := generatedServer(t, locked("Bearer s3cret")...)
	for want, args := range map[string][]string{
		"grpc.health.v1.Health\n":                 {"list", addr},
		"rpc Check(":                              {"describe", addr, "grpc.health.v1.Health"},
		"\"SERVING\"":                             {"call", addr, "Check"},
		"grpc.health.v1.Health/Check\n":           {"__complete", "call", addr, "grpc.health"},
		"grpc.reflection.v1.ServerReflection\n:4": {"__complete", "list", addr, "grpc.reflection.v1."},
	} {
		with := slices.Insert(slices.Clone(args), len(args)-1, "-H", "Authorization: Bearer s3cret")
		if out, log, exit := dyngateRuns(t, with...); exit != 0 || !strings.Contains(out, want) {
			t.Errorf("%v: status %d\n%s%s", with, exit, out, log)
		}
		out, log, exit := dyngateRuns(t, args...)
		if strings.Contains(out, want) || exit != 64+16 && args[0] != "__complete" {
			t.Errorf("%v: status %d\n%s%s", args, exit, out, log)
		}
	}
}
