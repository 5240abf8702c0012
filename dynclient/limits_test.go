package dynclient_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynclient"
)

// TestReflectionLimits reads a schema of two files from a server's reflection,
// with and without a limit of one file.
func TestReflectionLimits(t *testing.T) {
	f := new(fakeReflection)
	f.files = append(f.files, serviceFile(t, "q.T", "t.proto"), file(t, `name: "t.proto" package: "q" message_type { name: "T" }`))
	addr := f.serve(t)
	for files, want := range map[int]codes.Code{0: codes.OK, 1: codes.ResourceExhausted} {
		c := dial(t, addr, dynclient.WithSchemaLimits(dynclient.SchemaLimits{Reflection: dynclient.ReflectionLimits{Files: files}}))
		_, err := c.Schema().Method(t.Context(), "p.S/M")
		var failure *dynclient.ReflectionError
		if !errors.As(err, &failure) {
			failure = new(dynclient.ReflectionError)
		}
		if got := status.Code(failure.Err); got != want {
			t.Errorf("at most %d files: got %v, want %v", files, err, want)
		}
	}
}

// TestFileLimits reads a file with and without a limit on its size.
func TestFileLimits(t *testing.T) {
	fsys := fstest.MapFS{"a.proto": {Data: []byte(`syntax = "proto3"; service S { rpc Do(M) returns (M); } message M {}`)}}
	for size, want := range map[int64]string{0: "", 10: "a.proto"} {
		c := dial(t, "passthrough:///unused", dynclient.WithSources(dynclient.FS("fs", fsys)),
			dynclient.WithSchemaLimits(dynclient.SchemaLimits{Files: dynclient.FileLimits{FileBytes: size}}))
		_, err := c.Schema().Method(t.Context(), "S/Do")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("at most %d bytes: got %v, want %q", size, err, want)
		}
	}
}
