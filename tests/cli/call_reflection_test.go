package cli

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// locked refuses every call, also of reflection, without this authorization. It
// must be sent once.
func locked(authorization string) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainStreamInterceptor(lockedStream(authorization)),
		grpc.ChainUnaryInterceptor(func(ctx context.Context, in any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			if err := authorized(ctx, authorization); err != nil {
				return nil, err
			}
			return handler(ctx, in)
		}),
	}
}

func lockedStream(authorization string) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		if err := authorized(stream.Context(), authorization); err != nil {
			return err
		}
		return handler(srv, stream)
	}
}

func authorized(ctx context.Context, authorization string) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if slices.Equal(md["authorization"], []string{authorization}) {
		return nil
	}
	return status.Errorf(codes.Unauthenticated, "%d of authorization", len(md["authorization"]))
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
		if r := rig.Run(t, with...); r.Status != 0 || !strings.Contains(r.Stdout, want) {
			t.Errorf("%v: status %d\n%s%s", with, r.Status, r.Stdout, r.Stderr)
		}
		r := rig.Run(t, args...)
		if strings.Contains(r.Stdout, want) || r.Status != 64+16 && args[0] != "__complete" {
			t.Errorf("%v: status %d\n%s%s", args, r.Status, r.Stdout, r.Stderr)
		}
	}
}

// TestTypesOfAnyComeFromReflection sends and receives an Any of a type that only
// reflection knows, on a locked server.
func TestTypesOfAnyComeFromReflection(t *testing.T) {
	t.Parallel()
	reg := handlers.NewRegistry()
	echo := handlers.Bidi(func(_ context.Context, in iter.Seq2[*anypb.Any, error]) iter.Seq2[*anypb.Any, error] { return in })
	reg.Handle("chat.Chat/Echo", echo)
	config := dynserver.Config{Handlers: reg, Sources: []dynserver.Source{dynserver.Path(rig.Folder(t, map[string]string{
		"chat.proto": `syntax = "proto3"; package chat; import "google/protobuf/any.proto";
			service Chat { rpc Echo(stream google.protobuf.Any) returns (stream google.protobuf.Any); }`,
		"item.proto": `syntax = "proto3"; package item; message Item { string name = 1; } service Shop { rpc Sell(Item) returns (Item); }`,
	}))}}
	config.GRPC.Interceptors = []grpc.StreamServerInterceptor{lockedStream("s3cret")}
	r := rig.Run(t, "call", rig.Local(t, config).Addr, "chat.Chat/Echo", "-o", "ndjson", "-H", "authorization: s3cret",
		"-d", `{"@type": "type.googleapis.com/item.Item", "name": "a"} {"@type": "type.googleapis.com/item.Item", "name": "b"}`)
	const want = `{"@type":"type.googleapis.com/item.Item","name":"a"}` + "\n" + `{"@type":"type.googleapis.com/item.Item","name":"b"}` + "\n"
	if r.Stdout != want || r.Status != 0 {
		t.Errorf("status %d\n%s%s", r.Status, r.Stdout, r.Stderr)
	}
}
