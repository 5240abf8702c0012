package server

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/jhump/protoreflect/grpcreflect"
	"google.golang.org/grpc/codes"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestReflectionClosure checks that both versions of reflection return every service
// with all imports, also the server's own services.
func TestReflectionClosure(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--channelz")
	conn := rig.Dial(t, p.Addr())
	for version, client := range rig.Reflectors(t.Context(), conn) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			defer client.Reset()
			services, err := client.ListServices()
			rig.Must(t, err)
			if len(services) != 9+4 {
				t.Errorf("services: %v", services)
			}
			for _, name := range services {
				// One client cannot hold all of them: some declare the same names.
				client := rig.Reflectors(t.Context(), conn)[version]
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
	s := rig.Local(t, dynserver.Config{Sources: []dynserver.Source{dynserver.Path(rig.Folder(t, map[string]string{
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
	for version, client := range rig.Reflectors(t.Context(), s.Conn) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			defer client.Reset()
			service, err := client.ResolveService("rich.Rich")
			rig.Must(t, err)
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

// TestReflectionFollows keeps one stream over reloads, as clients do.
func TestReflectionFollows(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"a.proto": rig.ServiceProto("A")})
	s := rig.Local(t, dynserver.Config{Sources: []dynserver.Source{dynserver.Path(dir)}})
	stream, err := refv1.NewServerReflectionClient(s.Conn).ServerReflectionInfo(rig.Context(t))
	rig.Must(t, err)
	list := func() (names []string) {
		rig.Must(t, stream.Send(&refv1.ServerReflectionRequest{MessageRequest: &refv1.ServerReflectionRequest_ListServices{}}))
		res, err := stream.Recv()
		rig.Must(t, err)
		for _, service := range res.GetListServicesResponse().GetService() {
			names = append(names, service.GetName())
		}
		return names
	}
	files := func(symbol string) int {
		rig.Must(t, stream.Send(&refv1.ServerReflectionRequest{MessageRequest: &refv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: symbol}}))
		res, err := stream.Recv()
		rig.Must(t, err)
		return len(res.GetFileDescriptorResponse().GetFileDescriptorProto())
	}
	for _, name := range []string{"B", "C", "D"} {
		rig.Write(t, filepath.Join(dir, "b.proto"), rig.ServiceProto(name))
		_, err := s.Reload(t.Context())
		rig.Must(t, err)
		if got := list(); !slices.Contains(got, "p."+name) || len(got) != 5 {
			t.Errorf("after %s: %v", name, got)
		}
		if n := files("p." + name); n != 1 {
			t.Errorf("p.%s: %d files", name, n)
		}
	}
	if n := files("p.B"); n != 0 {
		t.Errorf("p.B is gone, but has %d files", n)
	}
}

// TestReserved declares services that the server itself answers: the server
// still answers them.
func TestReserved(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{
		"health.proto": "syntax = \"proto3\";\npackage grpc.health.v1;\nservice Health { rpc Check(M) returns (M); rpc Mine(M) returns (M); }\nmessage M {}\n",
		"a.proto":      rig.ServiceProto("A"),
	})
	p := rig.Serve(t, dir)
	conn := rig.Dial(t, p.Addr())
	rig.WantText(t, p.Stderr.String(), "grpc.health.v1.Health is answered by the server itself", filepath.Join(dir, "health.proto"))
	_, err := rig.Invoke(rig.Context(t), conn, "/grpc.health.v1.Health/Check", nil)
	rig.Must(t, err)
	_, err = rig.Invoke(rig.Context(t), conn, "/grpc.health.v1.Health/Mine", nil)
	rig.WantCode(t, err, codes.Unimplemented)
	client := rig.Reflectors(t.Context(), conn)["v1"]
	defer client.Reset()
	service, err := client.ResolveService("grpc.health.v1.Health")
	if err != nil || service.FindMethodByName("Watch") == nil || service.FindMethodByName("Mine") != nil {
		t.Errorf("reflection: %v, %v", service, err)
	}
}
