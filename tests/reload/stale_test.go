package reload

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// reflection is one reflection stream.
type reflection struct {
	t      testing.TB
	stream refv1.ServerReflection_ServerReflectionInfoClient
}

func openReflection(t testing.TB, s *rig.Server) reflection {
	t.Helper()
	stream, err := refv1.NewServerReflectionClient(s.Conn).ServerReflectionInfo(rig.Context(t))
	rig.Must(t, err)
	return reflection{t, stream}
}

// files sends a request and returns the files of the response, by name: each as the
// names of its top-level declarations.
func (r reflection) files(req *refv1.ServerReflectionRequest) map[string]string {
	r.t.Helper()
	rig.Must(r.t, r.stream.Send(req))
	res, err := r.stream.Recv()
	rig.Must(r.t, err)
	files := make(map[string]string)
	for _, b := range res.GetFileDescriptorResponse().GetFileDescriptorProto() {
		var fd descriptorpb.FileDescriptorProto
		rig.Must(r.t, proto.Unmarshal(b, &fd))
		var names []string
		for _, m := range fd.GetMessageType() {
			names = append(names, m.GetName())
		}
		for _, s := range fd.GetService() {
			names = append(names, s.GetName())
		}
		for _, x := range fd.GetExtension() {
			names = append(names, x.GetName())
		}
		files[fd.GetName()] = strings.Join(names, " ")
	}
	return files
}

func (r reflection) symbol(name string) map[string]string {
	r.t.Helper()
	return r.files(&refv1.ServerReflectionRequest{MessageRequest: &refv1.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: name}})
}

func (r reflection) extension(of string, n int32) map[string]string {
	r.t.Helper()
	return r.files(&refv1.ServerReflectionRequest{MessageRequest: &refv1.ServerReflectionRequest_FileContainingExtension{
		FileContainingExtension: &refv1.ExtensionRequest{ContainingType: of, ExtensionNumber: n},
	}})
}

// startStale serves a.A, which is stale on a common.proto that declared k.Old,
// and b.B, which is up to date with one that declares k.New.
func startStale(t testing.TB) *rig.Server {
	t.Helper()
	dir := rig.Folder(t, map[string]string{
		"common.proto": `syntax = "proto3"; package k; message Old { string a = 1; }`,
		"a.proto":      `syntax = "proto3"; package a; import "common.proto"; service A { rpc X(k.Old) returns (k.Old); }`,
		"b.proto":      `syntax = "proto3"; package b; import "common.proto"; message M {} service B { rpc X(M) returns (M); }`,
	})
	s := rig.Local(t, dynserver.Config{Sources: []dynserver.Source{dynserver.Path(dir)}})
	rig.Write(t, filepath.Join(dir, "common.proto"), `syntax = "proto3"; package k; message New { string a = 1; }`)
	report, err := s.Reload(t.Context())
	rig.Must(t, err)
	if !slices.Equal(report.Stale, []string{"a.A"}) || !slices.Equal(report.Changed, []string{"b.B"}) {
		t.Fatalf("report: %+v", report)
	}
	return s
}

// TestReflectionStale checks that reflection describes what is served: two versions
// of a file while a service that imports it is stale.
func TestReflectionStale(t *testing.T) {
	t.Parallel()
	s := startStale(t)
	for symbol, want := range map[string]map[string]string{
		"a.A":     {"a.proto": "A", "common.proto": "Old"},
		"a.A.X":   {"a.proto": "A", "common.proto": "Old"},
		"b.B":     {"b.proto": "M B", "common.proto": "New"},
		"k.Old":   {"common.proto": "Old"},
		"k.Old.a": {"common.proto": "Old"},
		"k.New":   {"common.proto": "New"},
	} {
		if got := openReflection(t, s).symbol(symbol); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", symbol, got, want)
		}
	}
}

// TestReflectionStaleStream requests both versions on one stream, which does not send
// a file twice. A different file of the same name must be sent.
func TestReflectionStaleStream(t *testing.T) {
	t.Parallel()
	s := startStale(t)
	for _, order := range [][]string{{"b.B", "a.A"}, {"a.A", "b.B"}, {"k.New", "k.Old", "a.A", "b.B"}} {
		stream, got := openReflection(t, s), make(map[string]bool)
		for _, symbol := range order {
			for name, declares := range stream.symbol(symbol) {
				got[name+": "+declares] = true
			}
		}
		for _, want := range []string{"a.proto: A", "b.proto: M B", "common.proto: Old", "common.proto: New"} {
			if !got[want] {
				t.Errorf("%v: got %v, but not %q", order, got, want)
			}
		}
	}
}

// TestReflectionTwins has files that extend one message by the same number, and do
// not import each other. Reflection always returns the first by path.
func TestReflectionTwins(t *testing.T) {
	t.Parallel()
	extends := func(pkg, typ string) string {
		return fmt.Sprintf(`syntax = "proto2"; package %[1]s; import "google/protobuf/descriptor.proto";
extend google.protobuf.MethodOptions { optional %[2]s x%[1]s = 50001; } message M {} service S { rpc X(M) returns (M); }`, pkg, typ)
	}
	dir := rig.Folder(t, map[string]string{
		"a.proto": extends("a", "string"), "b.proto": extends("b", "int32"), "sub/c.proto": extends("c", "bool"),
	})
	s := rig.Local(t, dynserver.Config{Sources: []dynserver.Source{dynserver.Path(dir)}})
	for i := range 20 { // each generation has a new index of extensions
		rig.Write(t, filepath.Join(dir, "other.proto"), fmt.Sprintf(`syntax = "proto3"; package o; message M%d {}`, i))
		_, err := s.Reload(t.Context())
		rig.Must(t, err)
		if got := openReflection(t, s).extension("google.protobuf.MethodOptions", 50001); got["a.proto"] != "M S xa" {
			t.Fatalf("generation %d: got %v", i, got)
		}
	}
}
