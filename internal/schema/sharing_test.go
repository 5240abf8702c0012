package schema_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/reflect/protodesc"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/schema"
)

const (
	base  = "syntax = \"proto3\";\npackage p;\n// Base is %.\nmessage Base { string a = 1; }\n"
	user  = "syntax = \"proto3\";\npackage p;\nimport \"base.proto\";\n// Uses base.\nservice User {\n  // Does.\n  rpc Do(Base) returns (Base);\n}\n"
	alone = "syntax = \"proto3\";\npackage p;\nmessage Alone {}\nservice Alone2 { rpc Do(Alone) returns (Alone); }\n"
)

// folder returns a compiler of a folder with three files, two of which are
// related.
func folder(t *testing.T) (dir string, c *schema.Compiler) {
	dir = t.TempDir()
	write(t, filepath.Join(dir, "base.proto"), base)
	write(t, filepath.Join(dir, "user.proto"), user)
	write(t, filepath.Join(dir, "alone.proto"), alone)
	return dir, schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}})
}

func TestNothingChanged(t *testing.T) {
	t.Parallel()
	dir, c := folder(t)
	first := compile(t, c)
	if compile(t, c) != first {
		t.Error("a second Compile made another snapshot")
	}
	write(t, filepath.Join(dir, "user.proto"), user) // touched, not changed
	if compile(t, c) != first {
		t.Error("a touched file made another snapshot")
	}
	write(t, filepath.Join(dir, "bad.proto"), "syntax = \"proto3\"; import \"none.proto\"; import \"cycle.proto\";")
	write(t, filepath.Join(dir, "cycle.proto"), "syntax = \"proto3\"; import \"bad.proto\";")
	second := compile(t, c)
	if second == first || compile(t, c) != second {
		t.Error("errors make a new snapshot each time")
	}
}

func TestSharing(t *testing.T) {
	t.Parallel()
	dir, c := folder(t)
	first := compile(t, c)

	// The meaning changes: all importers are new, other files are not.
	write(t, filepath.Join(dir, "base.proto"), strings.Replace(base, "a = 1", "b = 2", 1))
	second := compile(t, c)
	for path, same := range map[string]bool{"base.proto": false, "user.proto": false, "alone.proto": true} {
		if got := first.File(path) == second.File(path); got != same {
			t.Errorf("%s: same File: %v", path, got)
		}
		if got := first.File(path).Descriptor() == second.File(path).Descriptor(); got != same {
			t.Errorf("%s: same descriptor: %v", path, got)
		}
	}

	// A comment changes: the File is new, its descriptor and everything else are
	// not.
	write(t, filepath.Join(dir, "base.proto"), strings.Replace(strings.Replace(base, "a = 1", "b = 2", 1), "%", "\n//\n// new", 1))
	third := compile(t, c)
	if second.File("base.proto") == third.File("base.proto") {
		t.Error("the comment changed, the File did not")
	}
	if second.File("base.proto").Descriptor() != third.File("base.proto").Descriptor() ||
		second.File("base.proto").Types() != third.File("base.proto").Types() {
		t.Error("a comment made another descriptor")
	}
	if second.File("user.proto") != third.File("user.proto") {
		t.Error("a comment in an import made another File")
	}
	md := third.File("base.proto").Descriptor().Messages().Get(0)
	loc := third.File("base.proto").DescriptorWithComments().SourceLocations().ByDescriptor(md)
	if !strings.Contains(loc.LeadingComments, "new") {
		t.Errorf("comment is %q", loc.LeadingComments)
	}
	if line, col := third.File("base.proto").Position(md); line != 6 || col != 9 {
		t.Errorf("position %d:%d", line, col)
	}
}

// TestBrokenAndFixed breaks a file and fixes it: other files stay usable, and the fixed file has its old descriptor.
func TestBrokenAndFixed(t *testing.T) {
	t.Parallel()
	dir, c := folder(t)
	first := compile(t, c)
	write(t, filepath.Join(dir, "base.proto"), base[:len(base)-20])
	second := compile(t, c)
	if got := names(second); len(got) != 1 || got[0] != "p.Alone2" {
		t.Errorf("services %v", got)
	}
	broken := second.Broken()
	if len(broken) != 1 || broken[0].Name != "p.User" || len(broken[0].Errors) == 0 || broken[0].File != second.File("user.proto") {
		t.Fatalf("broken %+v", broken)
	}
	if f := second.File("user.proto"); f.Descriptor() != nil || f.Types() != nil || f.DescriptorWithComments() != nil || len(f.Errors()) == 0 {
		t.Errorf("a broken file has %v, %v", f.Descriptor(), f.Errors())
	}
	write(t, filepath.Join(dir, "base.proto"), base)
	third := compile(t, c)
	if first.File("user.proto").Descriptor() != third.File("user.proto").Descriptor() {
		t.Error("the fixed file has another descriptor")
	}

	// A failed import is tried again when the file appears, and is missing when
	// the file is removed.
	must(t, os.Remove(filepath.Join(dir, "base.proto")))
	if s := compile(t, c); len(s.Errors()) == 0 || s.File("base.proto") != nil {
		t.Error("a removed import is not missed")
	}
	write(t, filepath.Join(dir, "base.proto"), base)
	if s := compile(t, c); len(s.Errors()) > 0 || len(s.Services()) != 2 {
		t.Errorf("after it came back: %v", s.Errors())
	}
}

func TestComments(t *testing.T) {
	t.Parallel()
	dir, c := folder(t)
	f := compile(t, c).File("user.proto")
	if protodesc.ToFileDescriptorProto(f.Descriptor()).SourceCodeInfo != nil {
		t.Error("the plain descriptor has source info")
	}
	view := f.DescriptorWithComments()
	found := ""
	for _, loc := range protodesc.ToFileDescriptorProto(view).GetSourceCodeInfo().GetLocation() {
		found += loc.GetLeadingComments()
	}
	if found != " Uses base.\n Does.\n" {
		t.Errorf("comments %q", found)
	}
	method := f.Descriptor().Services().Get(0).Methods().Get(0)
	if loc := view.SourceLocations().ByDescriptor(method); loc.LeadingComments != " Does.\n" {
		t.Errorf("method's comment %q", loc.LeadingComments)
	}
	if line, col := f.Position(method); line != 7 || col != 7 {
		t.Errorf("method at %d:%d", line, col)
	}
	dropped := schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}, DropComments: true})
	f = compile(t, dropped).File("user.proto")
	if f.DescriptorWithComments() != f.Descriptor() {
		t.Error("DropComments leaves comments")
	}
	if line, _ := f.Position(f.Descriptor().Services().Get(0)); line != 5 {
		t.Errorf("without comments, the service is on line %d", line)
	}
}

// TestCommentsOfEditions checks that the view implements the methods that protodesc
// finds by type assertion.
func TestCommentsOfEditions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "opts.proto"), "edition = \"2024\";\npackage o;\nimport \"google/protobuf/descriptor.proto\";\nextend google.protobuf.FileOptions { string note = 50000; }\n")
	write(t, filepath.Join(dir, "a.proto"), "edition = \"2024\";\npackage a;\nimport public \"b.proto\";\nimport option \"opts.proto\";\noption (o.note) = \"x\";\nmessage M { b.B b = 1; }\n")
	write(t, filepath.Join(dir, "b.proto"), "edition = \"2023\";\npackage b;\nmessage B {}\n")
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}}))
	for _, d := range s.Errors() {
		t.Error(d.Text)
	}
	f := s.File("a.proto")
	plain, view := protodesc.ToFileDescriptorProto(f.Descriptor()), protodesc.ToFileDescriptorProto(f.DescriptorWithComments())
	if view.GetSourceCodeInfo() == nil {
		t.Error("no source info")
	}
	view.SourceCodeInfo = nil
	if plain.String() != view.String() || view.GetEdition().String() != "EDITION_2024" || len(view.GetOptionDependency()) != 1 {
		t.Errorf("got %v\nand %v", plain, view)
	}
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a/x.proto"), service("A"))
	write(t, filepath.Join(dir, "b/x.proto"), service("B"))
	write(t, filepath.Join(dir, "b/google/api/http.proto"), "syntax = \"proto3\";\npackage google.api;\nmessage Mine {}\n")
	write(t, filepath.Join(dir, "b/y.proto"), "syntax = \"proto3\";\nimport \"google/api/http.proto\";\nservice Y { rpc Do(google.api.Mine) returns (google.api.Mine); }\n")
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(filepath.Join(dir, "a")), schema.Path(filepath.Join(dir, "b"))}}))
	if got := strings.Join(names(s), " "); got != "Y p.A" {
		t.Errorf("services %s, %v", got, s.Errors())
	}
	if got := s.File("x.proto").Location(); got != filepath.Join(dir, "a/x.proto") {
		t.Errorf("location %s", got)
	}
	warned := false
	for _, d := range s.Diagnostics() {
		warned = warned || d.Severity == diag.Warning && d.Path == filepath.Join(dir, "b/x.proto") && strings.Contains(d.Message, filepath.Join(dir, "a/x.proto"))
	}
	if !warned {
		t.Errorf("no warning in %v", s.Diagnostics())
	}
}

func TestOneFile(t *testing.T) {
	t.Parallel()
	dir, _ := folder(t)
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(filepath.Join(dir, "user.proto"))}}))
	if got := names(s); len(got) != 1 || got[0] != "p.User" || len(s.Files()) != 1 {
		t.Errorf("services %v, %v", got, s.Errors())
	}
	if s.File("base.proto") == nil || s.File("alone.proto") != nil {
		t.Error("File finds the wrong files")
	}
}

func TestEmbedded(t *testing.T) {
	t.Parallel()
	dir, _ := folder(t)
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.FS("embedded", os.DirFS(dir))}}))
	if len(s.Services()) != 2 || s.Files()[0].Location() != "embedded/alone.proto" {
		t.Errorf("services %v, location %s", names(s), s.Files()[0].Location())
	}
}

func TestCannotRun(t *testing.T) {
	t.Parallel()
	dir, c := folder(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Compile(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if s := compile(t, c); len(s.Services()) != 2 {
		t.Errorf("after a canceled call: %v", s.Diagnostics())
	}
	write(t, filepath.Join(dir, "notes.txt"), "")
	for _, path := range []string{filepath.Join(dir, "none"), filepath.Join(dir, "none.proto"), filepath.Join(dir, "none.binpb"), filepath.Join(dir, "notes.txt"), ""} {
		c := schema.New(schema.Options{Sources: []schema.Source{schema.Path(path)}})
		if _, err := c.Compile(t.Context()); err == nil {
			t.Errorf("%q compiles", path)
		}
	}
}

// TestCanceledMidway cancels at many points; the next Compile must not use incomplete results.
func TestCanceledMidway(t *testing.T) {
	t.Parallel()
	dir, c := folder(t)
	for i := range 50 {
		write(t, filepath.Join(dir, "base.proto"), strings.Replace(base, "a = 1", "a"+strings.Repeat("x", i)+" = 1", 1))
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		_, _ = c.Compile(ctx)
		s := compile(t, c)
		in := s.Services()[1].Desc.Methods().Get(0).Input()
		if got, want := string(in.Fields().Get(0).Name()), "a"+strings.Repeat("x", i); got != want {
			t.Fatalf("field %s, want %s", got, want)
		}
	}
}

// TestStaysBroken removes the text of services in several ways. The services become broken
// but are not removed.
func TestStaysBroken(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(dir string) error{
		"cut":     func(dir string) error { return os.WriteFile(filepath.Join(dir, "sub/a.proto"), []byte("synt"), 0o644) },
		"emptied": func(dir string) error { return os.Truncate(filepath.Join(dir, "sub/a.proto"), 0) },
		"renamed": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "sub/a.proto"), []byte(strings.Replace(service("B"), "}", "", 1)), 0o644)
		},
		"option": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "sub/a.proto"), []byte("option"), 0o644)
		},
		"unlink": func(dir string) error { return os.Remove(filepath.Join(dir, "elsewhere/.a")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, "sub/a.proto"), service("A"))
			if name == "unlink" {
				write(t, filepath.Join(dir, "elsewhere/.a"), service("A"))
				must(t, os.Remove(filepath.Join(dir, "sub/a.proto")))
				must(t, os.Symlink(filepath.Join(dir, "elsewhere/.a"), filepath.Join(dir, "sub/a.proto")))
			}
			c := schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}})
			if s := compile(t, c); len(s.Services()) != 1 {
				t.Fatal(s.Errors())
			}
			must(t, spoil(dir))
			s := compile(t, c)
			found := false
			for _, b := range s.Broken() {
				found = found || b.Name == "p.A" && len(b.Errors) > 0
			}
			if !found || len(s.Services()) > 0 {
				t.Errorf("broken %v, services %v", s.Broken(), names(s))
			}
			for _, d := range s.Errors() {
				if strings.Contains(d.Message, "nil pointer") {
					t.Errorf("a panic is shown in addition to its cause: %v", s.Errors())
				}
			}
			must(t, os.RemoveAll(filepath.Join(dir, "sub")))
			if s := compile(t, c); len(s.Broken()) > 0 {
				t.Errorf("removed, but %v", s.Broken())
			}
		})
	}
}

// TestConcurrentUse reads snapshots while others are compiled.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	dir, c := folder(t)
	s := compile(t, c)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					use(t, s)
				}
			}
		})
	}
	for i := range 30 {
		write(t, filepath.Join(dir, "base.proto"), strings.Replace(base, "%", strings.Repeat("x", i), 1))
		next := compile(t, c)
		if next.File("user.proto") != s.File("user.proto") {
			t.Error("a comment made another File")
		}
	}
	close(stop)
	readers.Wait()
}

// TestServiceMoves moves a service from a broken file to another one.
func TestServiceMoves(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.proto"), service("A"))
	c := schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}})
	compile(t, c)
	write(t, filepath.Join(dir, "a.proto"), "syntax = ")
	write(t, filepath.Join(dir, "b.proto"), service("A"))
	s := compile(t, c)
	if len(s.Broken()) > 0 || len(s.Services()) != 1 || s.Services()[0].File.Path() != "b.proto" {
		t.Errorf("services %v, broken %v", names(s), s.Broken())
	}
	write(t, filepath.Join(dir, "a.proto"), service("A"))
	if s = compile(t, c); len(s.Broken()) != 2 || len(s.Services()) > 0 {
		t.Errorf("services %v, broken %v", names(s), s.Broken())
	}
}
