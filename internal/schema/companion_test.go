package schema_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/schema"
)

func TestCompanions(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.proto", `syntax = "proto3";`)
	write("z.x.yaml", "z")
	write("sub/b.x.yaml", "b")
	write("sub/c.yaml", "not one")
	write(".hidden/d.x.yaml", "not one")
	embedded := fstest.MapFS{"e.x.yaml": {Data: []byte("e")}}
	c := schema.New(schema.Options{
		Sources:    []schema.Source{schema.Path(dir), schema.Path(filepath.Join(dir, "sub")), schema.FS("embedded", embedded), schema.Path(filepath.Join(dir, "a.proto"))},
		Companions: ".x.yaml",
	})
	compile := func() *schema.Snapshot {
		t.Helper()
		s, err := c.Compile(context.Background())
		if err != nil || len(s.Errors()) > 0 {
			t.Fatal(err, s.Errors())
		}
		return s
	}
	list := func(s *schema.Snapshot) string {
		var out []string
		for _, c := range s.Companions() {
			out = append(out, strings.TrimPrefix(c.Location, dir+"/")+"="+c.Text)
		}
		return strings.Join(out, " ")
	}
	first := compile()
	if got, want := list(first), "sub/b.x.yaml=b z.x.yaml=z embedded/e.x.yaml=e"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if compile() != first {
		t.Error("nothing changed, but there is a new snapshot")
	}
	write("z.x.yaml", "changed")
	second := compile()
	if got, want := list(second), "sub/b.x.yaml=b z.x.yaml=changed embedded/e.x.yaml=e"; second == first || got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if second.File("a.proto") != first.File("a.proto") {
		t.Error("the file was compiled again")
	}
	watched := fmt.Sprint(c.Roots())
	if !strings.Contains(watched, "{"+dir+" .x.yaml}") {
		t.Errorf("watched: %s", watched)
	}
}

// TestOptionPositions has an option of a method in source text, and in a descriptor set.
func TestOptionPositions(t *testing.T) {
	const text = `syntax = "proto3";
package p;
import "google/api/annotations.proto";
message M {}
service S {
  rpc Do(M) returns (M) {
    option (google.api.http) = { get: "/a" body: "*" };
  }
}
`
	dir := t.TempDir()
	path := filepath.Join(dir, "s.proto")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	compile := func(source schema.Source) *schema.File {
		t.Helper()
		s, err := schema.New(schema.Options{Sources: []schema.Source{source}}).Compile(context.Background())
		if err != nil || len(s.Errors()) > 0 {
			t.Fatal(err, s.Errors())
		}
		return s.File("s.proto")
	}
	const get, missing = 2, 4
	diagnose := func(f *schema.File, part int32) string {
		m := f.Descriptor().Services().Get(0).Methods().Get(0)
		return f.DiagnoseOption(diag.Error, m, []int32{72295728, part}, "wrong").String()
	}
	source := compile(schema.Path(dir))
	if got := diagnose(source, get); got != path+":7:34" {
		t.Errorf("get: %s", got)
	}
	if got := diagnose(source, missing); got != path+":7:12" {
		t.Errorf("a part that is not set: %s", got)
	}
	file := protodesc.ToFileDescriptorProto(source.DescriptorWithComments())
	content, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{file}})
	if err != nil {
		t.Fatal(err)
	}
	set := filepath.Join(dir, "set.binpb")
	if err := os.WriteFile(set, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := diagnose(compile(schema.Path(set)), get); !strings.HasPrefix(got, set+"!s.proto:7:") {
		t.Errorf("in a set: %s", got)
	}
}
