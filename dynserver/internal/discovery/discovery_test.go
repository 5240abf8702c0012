package discovery

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	v1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	v1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/internal/schema"
)

// world is a server that has nothing but discovery, for a folder of files.
type world struct {
	t        *testing.T
	dir      string
	compiler *schema.Compiler
	builder  dispatch.Builder
	answers  *dispatch.Lease
	current  atomic.Pointer[dispatch.Generation]
	health   *Health
	conn     *grpc.ClientConn
}

func newWorld(t *testing.T, files map[string]string) *world {
	dir := t.TempDir()
	reg := handlers.NewRegistry()
	reg.Handle("answered.**", handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) {
		return handlers.HandlerFunc(func(context.Context, handlers.Call) error { return nil }), nil
	}))
	w := &world{
		t: t, dir: dir,
		compiler: schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}}),
		builder:  dispatch.Builder{Log: slog.New(slog.DiscardHandler)},
	}
	answers, _ := reg.Load(t.Context())
	w.answers = dispatch.NewLease(answers.Registrations(), answers.Release)
	w.health = NewHealth(w.current.Load)
	server, own := grpc.NewServer(), handlers.NewRegistry()
	for _, s := range []grpc.ServiceRegistrar{server, own} {
		healthpb.RegisterHealthServer(s, w.health)
		RegisterReflection(s, w.current.Load, nil)
	}
	w.builder.Own = own.All()
	w.reload(files)
	lis := bufconn.Listen(1 << 16)
	go func() { _ = server.Serve(lis) }() // ends at Stop
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient("passthrough:///bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	w.conn = conn
	return w
}

func (w *world) reload(files map[string]string) {
	w.t.Helper()
	for name, text := range files {
		path := filepath.Join(w.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	snap, err := w.compiler.Compile(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	g, _ := w.builder.Build(w.current.Load(), dispatch.Input{Snapshot: snap, Leases: []*dispatch.Lease{w.answers}})
	w.current.Store(g)
	w.health.Changed()
}

// stream is a reflection stream that stays open.
func (w *world) stream() func(*v1.ServerReflectionRequest) *v1.ServerReflectionResponse {
	w.t.Helper()
	s, err := v1.NewServerReflectionClient(w.conn).ServerReflectionInfo(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return func(req *v1.ServerReflectionRequest) *v1.ServerReflectionResponse {
		w.t.Helper()
		if err := s.Send(req); err != nil {
			w.t.Fatal(err)
		}
		res, err := s.Recv()
		if err != nil {
			w.t.Fatal(err)
		}
		return res
	}
}

func symbol(name string) *v1.ServerReflectionRequest {
	return &v1.ServerReflectionRequest{MessageRequest: &v1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: name}}
}

func filename(name string) *v1.ServerReflectionRequest {
	return &v1.ServerReflectionRequest{MessageRequest: &v1.ServerReflectionRequest_FileByFilename{FileByFilename: name}}
}

// files decodes the files of an answer.
func files(t *testing.T, res *v1.ServerReflectionResponse) (out []*descriptorpb.FileDescriptorProto) {
	t.Helper()
	for _, b := range res.GetFileDescriptorResponse().GetFileDescriptorProto() {
		fd := new(descriptorpb.FileDescriptorProto)
		if err := proto.Unmarshal(b, fd); err != nil {
			t.Fatal(err)
		}
		out = append(out, fd)
	}
	return out
}

func paths(t *testing.T, res *v1.ServerReflectionResponse) (out []string) {
	for _, fd := range files(t, res) {
		out = append(out, fd.GetName())
	}
	slices.Sort(out)
	return out
}

var clash = map[string]string{
	"one/one.proto": `syntax = "proto3"; import "one/dep.proto"; message Request { Dep dep = 1; } service One { rpc Call(Request) returns (Request); }`,
	"one/dep.proto": "syntax = \"proto3\";\n// Dep is imported.\nmessage Dep {}",
	"two/two.proto": "edition = \"2023\";\n// Request has comments.\nmessage Request { int32 two = 2; enum E { ZERO = 0; } oneof o { string s = 3; } } service Two { rpc Call(Request) returns (Request); }",
	"ext.proto":     `syntax = "proto2"; package ext; message Base { extensions 100 to 200; } extend Base { optional string more = 150; } message Scope { extend Base { optional int32 inner = 151; } }`,
}

func TestReflectionAnswersFromTheServicesOwnClosure(t *testing.T) {
	w := newWorld(t, clash)
	for name, want := range map[string]string{
		"One": "one/dep.proto one/one.proto", "One.Call": "one/dep.proto one/one.proto",
		"Request": "one/dep.proto one/one.proto", "Request.dep": "one/dep.proto one/one.proto",
		"Two": "two/two.proto", "Two.Call": "two/two.proto", "Request.E": "two/two.proto",
		"Request.ZERO": "two/two.proto", "Request.o": "two/two.proto", "Request.s": "two/two.proto",
		"ext.more": "ext.proto", "ext.Scope.inner": "ext.proto", "ext.Scope": "ext.proto",
	} {
		if got := strings.Join(paths(t, w.stream()(symbol(name))), " "); got != want {
			t.Errorf("%s: files %s, want %s", name, got, want)
		}
	}
	if got := files(t, w.stream()(symbol("Two")))[0]; got.GetEdition() != descriptorpb.Edition_EDITION_2023 {
		t.Errorf("edition %s", got.GetEdition())
	}
}

func TestReflectionFindsNoMoreThanThereIs(t *testing.T) {
	ask := newWorld(t, clash).stream()
	for _, name := range []string{"", ".", "Nope", "One.Nope", "Request.Nope.Nope", "ext", "a..b", strings.Repeat("a.", 2000) + "a", strings.Repeat("a", 10_000), "google.protobuf.Nope"} {
		if got := ask(symbol(name)).GetErrorResponse().GetErrorCode(); got != int32(codes.NotFound) {
			t.Errorf("%.20q: code %d", name, got)
		}
	}
	for name, found := range map[string]bool{"one/dep.proto": true, "nope.proto": false, "google/protobuf/timestamp.proto": true, "grpc/health/v1/health.proto": true, "../one/dep.proto": false} {
		if got := len(paths(t, ask(filename(name)))) > 0; got != found {
			t.Errorf("%s: found %t", name, got)
		}
	}
}

func TestReflectionBringsComments(t *testing.T) {
	ask := newWorld(t, clash).stream()
	text := ""
	for _, fd := range append(files(t, ask(symbol("One"))), files(t, ask(symbol("Two")))...) {
		for _, loc := range fd.GetSourceCodeInfo().GetLocation() {
			text += loc.GetLeadingComments()
		}
	}
	for _, want := range []string{"Dep is imported", "Request has comments"} {
		if !strings.Contains(text, want) {
			t.Errorf("no comment %q in %q", want, text)
		}
	}
}

// TestReflectionOfManyWays asks for a file that leads to others in three to the
// power of twenty ways, and to each of them once more.
func TestReflectionOfManyWays(t *testing.T) {
	const layers, width = 20, 3
	tree := make(map[string]string)
	for layer := range layers {
		for i := range width {
			text := "syntax = \"proto3\"; package ways;"
			for j := range width {
				if layer > 0 {
					text += fmt.Sprintf(" import \"l%d_%d.proto\";", layer-1, j)
				}
			}
			tree[fmt.Sprintf("l%d_%d.proto", layer, i)] = text + fmt.Sprintf(" message M%d_%d {}", layer, i)
		}
	}
	ask := newWorld(t, tree).stream()
	if got := len(paths(t, ask(filename("l19_0.proto")))); got != 1+19*width {
		t.Errorf("%d files", got)
	}
	if got := paths(t, ask(symbol("ways.M19_1"))); !slices.Equal(got, []string{"l19_1.proto"}) {
		t.Errorf("once more: %v", got)
	}
}

func TestReflectionOfExtensions(t *testing.T) {
	ask := newWorld(t, clash).stream()
	res := ask(&v1.ServerReflectionRequest{MessageRequest: &v1.ServerReflectionRequest_AllExtensionNumbersOfType{AllExtensionNumbersOfType: "ext.Base"}})
	if got := res.GetAllExtensionNumbersResponse().GetExtensionNumber(); !slices.Equal(got, []int32{150, 151}) {
		t.Errorf("extensions %v", got)
	}
	res = ask(&v1.ServerReflectionRequest{MessageRequest: &v1.ServerReflectionRequest_FileContainingExtension{
		FileContainingExtension: &v1.ExtensionRequest{ContainingType: "ext.Base", ExtensionNumber: 151},
	}})
	if got := paths(t, res); !slices.Equal(got, []string{"ext.proto"}) {
		t.Errorf("files %v", got)
	}
}

func list(res *v1.ServerReflectionResponse) string {
	var names []string
	for _, s := range res.GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
	}
	return strings.Join(names, " ")
}

func TestOpenReflectionStreamFollowsReloads(t *testing.T) {
	w := newWorld(t, map[string]string{"a.proto": `syntax = "proto3"; message M {} service A { rpc Call(M) returns (M); }`})
	ask := w.stream()
	services := &v1.ServerReflectionRequest{MessageRequest: &v1.ServerReflectionRequest_ListServices{}}
	const own = " grpc.health.v1.Health grpc.reflection.v1.ServerReflection grpc.reflection.v1alpha.ServerReflection"
	if got := list(ask(services)); got != "A"+own {
		t.Errorf("services %s", got)
	}
	before := len(files(t, ask(symbol("A")))[0].GetMessageType())
	w.reload(map[string]string{
		"a.proto": `syntax = "proto3"; message M {} message N {} service A { rpc Call(M) returns (M); }`,
		"b.proto": `syntax = "proto3"; message M {} service B { rpc Call(M) returns (M); }`,
	})
	if got := list(ask(services)); got != "A B"+own {
		t.Errorf("services %s after the reload", got)
	}
	if after := len(files(t, ask(symbol("A")))[0].GetMessageType()); before != 1 || after != 2 {
		t.Errorf("%d messages before and %d after, want 1 and 2", before, after)
	}
	w.reload(map[string]string{"a.proto": `syntax = "proto3"; message M {`})
	if got := files(t, ask(symbol("A.Call"))); len(got) != 1 || len(got[0].GetMessageType()) != 2 {
		t.Errorf("the stale service is described by %v", got)
	}
}

func TestReflectionV1Alpha(t *testing.T) {
	w := newWorld(t, clash)
	s, err := v1alpha.NewServerReflectionClient(w.conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req := &v1alpha.ServerReflectionRequest{MessageRequest: &v1alpha.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "One"}}
	if err := s.Send(req); err != nil {
		t.Fatal(err)
	}
	res, err := s.Recv()
	if err != nil || len(res.GetFileDescriptorResponse().GetFileDescriptorProto()) != 2 {
		t.Errorf("answer %v, error %v", res, err)
	}
}

func TestHealthFollowsGenerations(t *testing.T) {
	const answered = `syntax = "proto3"; package answered; message M {} service A { rpc Call(M) returns (M); }`
	const mute = `syntax = "proto3"; package mute; message M {} service B { rpc Call(M) returns (M); }`
	w := newWorld(t, map[string]string{"b.proto": mute})
	client := healthpb.NewHealthClient(w.conn)
	watch, err := client.Watch(t.Context(), &healthpb.HealthCheckRequest{Service: "answered.A"})
	if err != nil {
		t.Fatal(err)
	}
	next := func(want healthpb.HealthCheckResponse_ServingStatus) {
		t.Helper()
		res, err := watch.Recv()
		if err != nil || res.GetStatus() != want {
			t.Errorf("watch: %v, %v, want %s", res, err, want)
		}
	}
	next(healthpb.HealthCheckResponse_SERVICE_UNKNOWN)
	w.reload(map[string]string{"a.proto": answered})
	next(healthpb.HealthCheckResponse_SERVING)

	for service, want := range map[string]healthpb.HealthCheckResponse_ServingStatus{
		"": healthpb.HealthCheckResponse_SERVING, "answered.A": healthpb.HealthCheckResponse_SERVING, "mute.B": healthpb.HealthCheckResponse_NOT_SERVING,
	} {
		res, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: service})
		if err != nil || res.GetStatus() != want {
			t.Errorf("Check(%q): %v, %v", service, res, err)
		}
	}
	if _, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "nope"}); status.Code(err) != codes.NotFound {
		t.Errorf("Check of an unknown service: %v", err)
	}
	all, err := client.List(t.Context(), &healthpb.HealthListRequest{})
	if err != nil || len(all.GetStatuses()) != 3 {
		t.Errorf("List: %v, %v", all, err)
	}

	w.health.Drain()
	next(healthpb.HealthCheckResponse_NOT_SERVING)
	if _, err := watch.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("the watch ended with %v", err)
	}
}
