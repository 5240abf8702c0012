package schema_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dyngate/dyngate/internal/schema"
)

// TestTwoImportPaths compiles a root inside a root, so that a file has two import paths but
// declares one service.
func TestTwoImportPaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "api/rpc.proto"), service("A"))
	write(t, filepath.Join(dir, "api/b.proto"), "syntax = \"proto3\"; import \"rpc.proto\"; service B { rpc Do(p.MA) returns (p.MA); }")
	write(t, filepath.Join(dir, "c.proto"), "syntax = \"proto3\"; import \"api/rpc.proto\"; service C { rpc Do(p.MA) returns (p.MA); }")
	sources := []schema.Source{schema.Path(dir), schema.Path(filepath.Join(dir, "api"))}
	s := compile(t, schema.New(schema.Options{Sources: sources}))
	if got := names(s); fmt.Sprint(got) != "[B C p.A]" || len(s.Errors()) > 0 {
		t.Errorf("services %v, %v", got, s.Diagnostics())
	}
	write(t, filepath.Join(dir, "copy.proto"), service("A"))
	if s = compile(t, schema.New(schema.Options{Sources: sources})); len(s.Errors()) != 2 {
		t.Errorf("a copy of the file: %v", s.Errors())
	}
}

// TestUnknownEdition checks that a file of a future edition has one error.
func TestUnknownEdition(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.proto"), "edition = \"2099\";\nmessage M { string a = 1; enum E { A = 1; } new syntax; }")
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}}))
	if len(s.Diagnostics()) != 1 || !strings.Contains(s.Errors()[0].Message, "edition") {
		t.Errorf("%v", s.Diagnostics())
	}
}
