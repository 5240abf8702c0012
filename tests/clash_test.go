package tests

import (
	"context"
	"testing"

	"github.com/jhump/protoreflect/grpcreflect"
	"google.golang.org/grpc"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	refv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
)

// Two teams that have never met: the same message, enum and extension names,
// in the same package, of other shapes, each reached through an import.
var clash = map[string]string{
	"red/messages.proto": `syntax = "proto3";
package shared;
// Red is a colour.
message Query { string text = 1; Kind kind = 2; }
message Answer { string text = 1; }
enum Kind { NONE = 0; RED = 7; }
`,
	"red/service.proto": `syntax = "proto3";
package shared;
import "red/messages.proto";
service Red { rpc Ask(Query) returns (Answer); }
`,
	"blue/messages.proto": `syntax = "proto3";
package shared;
// Blue is another.
message Query { int64 number = 1; Kind kind = 3; }
message Answer { int64 number = 5; }
enum Kind { NONE = 0; BLUE = 8; }
`,
	"blue/service.proto": `syntax = "proto3";
package shared;
import "blue/messages.proto";
service Blue { rpc Ask(Query) returns (Answer); }
`,
}

func startClash(t testing.TB) *local {
	t.Helper()
	type (
		redQuery struct {
			Text string
			Kind string
		}
		redAnswer struct{ Text string }
		blueQuery struct {
			Number int64
			Kind   string
		}
		blueAnswer struct{ Number int64 }
	)
	reg := handlers.NewRegistry()
	reg.Handle("shared.Red", handlers.Unary(func(_ context.Context, in *redQuery) (*redAnswer, error) {
		return &redAnswer{Text: in.Text + " " + in.Kind}, nil
	}))
	reg.Handle("shared.Blue", handlers.Unary(func(_ context.Context, in *blueQuery) (*blueAnswer, error) {
		return &blueAnswer{Number: in.Number + int64(len(in.Kind))}, nil
	}))
	return startLocal(t, dynserver.Config{
		Sources: []dynserver.Source{dynserver.Path(folder(t, clash))}, Handlers: reg,
	})
}

// reflectors are the two versions of reflection as protoreflect speaks them.
func reflectors(ctx context.Context, conn *grpc.ClientConn) map[string]*grpcreflect.Client {
	return map[string]*grpcreflect.Client{
		"v1":      grpcreflect.NewClientV1(ctx, refv1.NewServerReflectionClient(conn)),
		"v1alpha": grpcreflect.NewClientV1Alpha(ctx, refv1alpha.NewServerReflectionClient(conn)),
	}
}

// TestClashCalled calls services whose messages have the same names, with
// messages made from what reflection tells about each.
func TestClashCalled(t *testing.T) {
	t.Parallel()
	s := startClash(t)
	for version := range reflectors(t.Context(), s.conn) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			for _, test := range []struct {
				service string
				query   map[protoreflect.Name]any
				answer  string
			}{
				{"shared.Red", map[protoreflect.Name]any{"text": "what", "kind": protoreflect.EnumNumber(7)}, `{"text":"what RED"}`},
				{"shared.Blue", map[protoreflect.Name]any{"number": int64(38), "kind": protoreflect.EnumNumber(8)}, `{"number":"42"}`},
			} {
				// A client of its own, as its cache too goes by names.
				client := reflectors(t.Context(), s.conn)[version]
				service, err := client.ResolveService(test.service)
				client.Reset()
				must(t, err)
				if got := ask(t, s.conn, service.UnwrapService(), test.query); got != test.answer {
					t.Errorf("%s: got %s, want %s", test.service, got, test.answer)
				}
			}
		})
	}
}

// ask calls the method Ask.
func ask(t testing.TB, conn *grpc.ClientConn, service protoreflect.ServiceDescriptor, query map[protoreflect.Name]any) string {
	t.Helper()
	method := service.Methods().ByName("Ask")
	in, out := dynamicpb.NewMessage(method.Input()), dynamicpb.NewMessage(method.Output())
	for name, value := range query {
		in.Set(in.Descriptor().Fields().ByName(name), protoreflect.ValueOf(value))
	}
	must(t, conn.Invoke(timeout(t), "/"+string(service.FullName())+"/Ask", in, out))
	text, err := protojson.Marshal(out)
	must(t, err)
	return string(text)
}

// TestClashGrpcurl does the same with grpcurl.
func TestClashGrpcurl(t *testing.T) {
	t.Parallel()
	g := newGrpcurl(t, startClash(t).addr)
	contains(t, g.ok(nil, "describe", "shared.Red"), "rpc Ask ( .shared.Query ) returns ( .shared.Answer );")
	contains(t, g.ok([]string{"-d", `{"text": "what", "kind": "RED"}`}, "shared.Red/Ask"), `"what RED"`)
	contains(t, g.ok([]string{"-d", `{"number": 38, "kind": "BLUE"}`}, "shared.Blue/Ask"), `"42"`)
	contains(t, g.ok(nil, "describe", "shared.Query"), "message Query")
}

// TestReflectionClosure checks that reflection gives every service with all that
// it imports, also for the server's own, in both versions.
func TestReflectionClosure(t *testing.T) {
	t.Parallel()
	p := serve(t, "--channelz")
	conn := dial(t, p.addr())
	for version, client := range reflectors(t.Context(), conn) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			defer client.Reset()
			services, err := client.ListServices()
			must(t, err)
			if len(services) != 9+4 {
				t.Errorf("services: %v", services)
			}
			for _, name := range services {
				// Not all of them fit into one registry, so not into one client.
				client := reflectors(t.Context(), conn)[version]
				service, err := client.ResolveService(name)
				client.Reset()
				if err != nil || len(service.GetMethods()) == 0 {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// TestReflectionRich asks for extensions, options, well-known types and
// editions, and calls with them.
func TestReflectionRich(t *testing.T) {
	t.Parallel()
	s := startLocal(t, dynserver.Config{Sources: []dynserver.Source{dynserver.Path(folder(t, map[string]string{
		"base.proto": `syntax = "proto2";
package rich;
message Base { optional string name = 1; extensions 100 to 200; }
extend Base { optional int32 first = 100; }
`,
		"rich.proto": `edition = "2023";
package rich;
import "base.proto";
import "google/protobuf/any.proto";
import "google/protobuf/timestamp.proto";
import "google/api/annotations.proto";
service Rich {
  rpc Do(Thing) returns (google.protobuf.Timestamp) { option (google.api.http) = { get: "/v1/things" }; }
}
message Thing { Base base = 1; google.protobuf.Any any = 2; Thing self = 3; }
extend Base { int32 second = 101; }
`,
	}))}})
	for version, client := range reflectors(t.Context(), s.conn) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			defer client.Reset()
			service, err := client.ResolveService("rich.Rich")
			must(t, err)
			if got := service.FindMethodByName("Do").GetOutputType().GetFullyQualifiedName(); got != "google.protobuf.Timestamp" {
				t.Errorf("output: %s", got)
			}
			if numbers, err := client.AllExtensionNumbersForType("rich.Base"); err != nil || len(numbers) != 2 {
				t.Errorf("extensions: %v, %v", numbers, err)
			}
			if ext, err := client.ResolveExtension("rich.Base", 101); err != nil || ext.GetFullyQualifiedName() != "rich.second" {
				t.Errorf("extension: %v, %v", ext, err)
			}
			if _, err := client.ResolveMessage("google.rpc.BadRequest"); err != nil {
				t.Errorf("the messages of error details: %v", err)
			}
			if _, err := client.ResolveMessage("no.Such"); !grpcreflect.IsElementNotFoundError(err) {
				t.Errorf("no.Such: %v", err)
			}
		})
	}
}
