package schema

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestSessionIsRenewed checks that a new compiler session has no visible effect.
func TestSessionIsRenewed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.proto"), "syntax = \"proto3\"; package p; message M {}")
	put(t, filepath.Join(dir, "b.proto"), "syntax = \"proto3\"; package p; import \"a.proto\"; service B { rpc Do(M) returns (M); }")
	c := New(Options{Sources: []Source{Path(dir)}})
	first, err := c.Compile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old := c.session
	c.parsedBytes.Store(1 << 40)
	put(t, filepath.Join(dir, "c.proto"), "syntax = \"proto3\"; package p; import \"b.proto\"; import \"a.proto\"; service C { rpc Do(M) returns (M); }")
	second, err := c.Compile(t.Context())
	if err != nil || c.session == old || len(second.Services()) != 2 {
		t.Fatalf("error %v, %v", err, second.Diagnostics())
	}
	for _, p := range []string{"a.proto", "b.proto"} {
		if first.File(p) != second.File(p) {
			t.Errorf("%s has another File", p)
		}
		if second.File(p).source.Load() == nil || second.File(p).source.Load() != c.nodes[p].ir {
			t.Errorf("%s holds on to the old session", p)
		}
	}
}

func isRefused(text string) bool {
	at, _, _ := scan(text, 1<<20)
	return at >= 0
}

func TestTooDeep(t *testing.T) {
	t.Parallel()
	many := strings.Repeat
	for text, deep := range map[string]bool{
		"":                               false,
		many("{", maxNesting):            false,
		many("{", maxNesting+1):          true,
		many("{}", 10*maxNesting):        false,
		many("<", maxNesting+1):          true,
		many("<>", 10*maxNesting):        false,
		many("-", maxNesting+1):          true,
		many("- ", maxNesting+1):         true,
		many("-/**/", maxNesting+1):      true,
		many("a ", maxNesting+1):         true,
		many("a, ", 10*maxNesting):       false,
		many("a", 10*maxNesting):         false,
		many("a.", maxNesting):           false,
		many("a.", maxNesting+1):         true,
		many("// {\n", 10*maxNesting):    false,
		"// " + many("{", 10*maxNesting): false,
		"/* " + many("{", 10*maxNesting): false,
		"'" + many("{", 10*maxNesting):   false,
		many("'\\''{", maxNesting+1):     true,
		many("\"'\"{", maxNesting+1):     true,
		"/" + many("/ {", 10*maxNesting): false,
		many("/ {", maxNesting+1):        true,
	} {
		if got := isRefused(text); got != deep {
			t.Errorf("%.40q: %v", text, got)
		}
	}
}

// TestBuildsWhatChanged edits a comment in an import: the importer is not built again. If the
// import is broken, the importer is built, but its consequential errors are not shown.
func TestBuildsWhatChanged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := filepath.Join(dir, "a.proto")
	base := "syntax = \"proto3\"; package p; message M {}"
	put(t, a, base)
	put(t, filepath.Join(dir, "b.proto"), "syntax = \"proto3\"; package p; import \"a.proto\"; service B { rpc Do(M) returns (M); }")
	put(t, filepath.Join(dir, "c.proto"), "syntax = \"proto3\"; package p; import \"b.proto\"; message C {}")
	c := New(Options{Sources: []Source{Path(dir)}})
	compile := func() *Snapshot {
		s, err := c.Compile(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	compile()
	seen := c.nodes["b.proto"].ir
	for _, text := range []string{"// x\n" + base, "// y\n\n" + base} {
		put(t, a, text)
		s := compile()
		if c.nodes["b.proto"].ir != seen {
			t.Error("a comment in an import had its importer built")
		}
		if line, _ := s.File("a.proto").Position(s.File("a.proto").Descriptor().Messages().Get(0)); line != strings.Count(text, "\n")+1 {
			t.Errorf("position of the old text: line %d", line)
		}
	}
	put(t, a, strings.ReplaceAll(base, "M", "N"))
	s := compile()
	if len(s.Errors()) == 0 || s.Errors()[0].Path != filepath.Join(dir, "b.proto") {
		t.Errorf("a type was renamed, and: %v", s.Errors())
	}
	put(t, a, base)
	good := compile()
	put(t, a, strings.ReplaceAll(base, "M {}", "N { Nope n = 1; }"))
	s = compile()
	if len(s.Errors()) != 1 || s.Errors()[0].Path != a || len(s.Broken()) != 1 || len(s.File("c.proto").Errors()) != 1 {
		t.Errorf("one error in a: %v", s.Errors())
	}
	put(t, a, base)
	if s = compile(); len(s.Errors()) > 0 || s.File("b.proto").Descriptor() != good.File("b.proto").Descriptor() {
		t.Errorf("fixed: %v", s.Errors())
	}
}

// TestLeftOut compiles more errors than are reported: the last diagnostic is the number of the
// others.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var text strings.Builder
	text.WriteString("syntax = \"proto3\"; package p; message M {\n")
	for i := range 3000 {
		fmt.Fprintf(&text, "Unknown%d f%d = %d;\n", i, i, i+1)
	}
	put(t, filepath.Join(dir, "a.proto"), text.String()+"}")
	s, err := New(Options{Sources: []Source{Path(dir)}}).Compile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := s.Diagnostics()
	last := all[len(all)-1]
	if len(all) > maxDiagnostics+1 || last.Message != fmt.Sprintf("%d more are not shown", 3001-len(all)) {
		t.Errorf("%d diagnostics, the last one: %s", len(all), last.Message)
	}
}
