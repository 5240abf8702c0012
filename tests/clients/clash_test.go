package clients

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// clash has two services whose messages and enums have the same names, in the same
// package, and different shapes. Each file gets its own by an import.
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

func startClash(t testing.TB) *rig.Server {
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
	return rig.Local(t, dynserver.Config{
		Sources: []dynserver.Source{dynserver.Path(rig.Folder(t, clash))}, Handlers: reg,
	})
}

// TestClashCalled calls services whose messages have the same names, with
// messages made from the descriptors that reflection returns for each.
func TestClashCalled(t *testing.T) {
	t.Parallel()
	s := startClash(t)
	for version := range rig.Reflectors(t.Context(), s.Conn) {
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
				// Each needs its own client, as the cache of a client goes by names.
				client := rig.Reflectors(t.Context(), s.Conn)[version]
				service, err := client.ResolveService(test.service)
				client.Reset()
				rig.Must(t, err)
				if got := ask(t, s.Conn, service.UnwrapService(), test.query); got != test.answer {
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
	rig.Must(t, conn.Invoke(rig.Context(t), "/"+string(service.FullName())+"/Ask", in, out))
	text, err := protojson.Marshal(out)
	rig.Must(t, err)
	return string(text)
}

// TestClashGrpcurl does the same with grpcurl.
func TestClashGrpcurl(t *testing.T) {
	t.Parallel()
	g := newGrpcurl(t, startClash(t).Addr)
	rig.WantText(t, g.ok(nil, "describe", "shared.Red"), "rpc Ask ( .shared.Query ) returns ( .shared.Answer );")
	rig.WantText(t, g.ok([]string{"-d", `{"text": "what", "kind": "RED"}`}, "shared.Red/Ask"), `"what RED"`)
	rig.WantText(t, g.ok([]string{"-d", `{"number": 38, "kind": "BLUE"}`}, "shared.Blue/Ask"), `"42"`)
	rig.WantText(t, g.ok(nil, "describe", "shared.Query"), "message Query")
}
