package schema_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/schema"
)

// alike is a tree in which unrelated files declare the same names.
var alike = fstest.MapFS{
	"a.proto":      {Data: []byte("syntax = \"proto2\"; package p; import \"z/dep.proto\"; message Same { optional int32 a = 1; } message OnlyA {} service A { rpc Do(Same) returns (Same); }")},
	"b.proto":      {Data: []byte("syntax = \"proto2\"; package p; message Same { optional int32 b = 1; message Inner {} } service B { rpc Do(Same) returns (Same); }")},
	"broken.proto": {Data: []byte("syntax = \"proto2\"; package p; message Broken { strin s = 1; }")},
	"z/dep.proto":  {Data: []byte("syntax = \"proto2\"; package z; message Base { extensions 100 to 200; }")},
	"z/x1.proto":   {Data: []byte("syntax = \"proto2\"; package x; import \"z/dep.proto\"; extend z.Base { optional int32 one = 101; } message M { extend z.Base { optional int32 two = 100; } }")},
	"z/x2.proto":   {Data: []byte("syntax = \"proto2\"; package y; import \"z/dep.proto\"; extend z.Base { optional int32 other = 101; }")},
}

func TestIndexFindsTheFirstOfSeveral(t *testing.T) {
	t.Parallel()
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.FS("alike", alike)}}))
	for name, want := range map[protoreflect.FullName]string{
		"p.Same": "a.proto", "p.Same.a": "a.proto", "p.Same.b": "b.proto", "p.Same.Inner": "b.proto", "p.OnlyA": "a.proto",
		"p.A.Do": "a.proto", "p.B": "b.proto", "x.M.two": "z/x1.proto", "y.other": "z/x2.proto", "p.Broken": "", "p": "", "q.Same": "",
	} {
		d, f := s.Find(name)
		switch {
		case want == "" && (d != nil || f != nil):
			t.Errorf("%s: found %v in %v", name, d, f)
		case want != "" && (d == nil || f == nil || f.Path() != want || f != s.File(want) || d.FullName() != name):
			t.Errorf("%s: found %v in %v, want it in %s", name, d, f, want)
		}
	}
	for path, want := range map[string]string{"/p.A/Do": "a.proto", "/p.B/Do": "b.proto", "p.A/Do": "", "/p.A": "", "/p.A/": "", "/p.A/Nope": "", "/p.C/Do": "", "": "", "/": "", "//": ""} {
		m, f := s.Method(path)
		if want == "" && (m != nil || f != nil) || want != "" && (m == nil || m.Name() != "Do" || f.Path() != want) {
			t.Errorf("%s: found %v in %v, want it in %q", path, m, f, want)
		}
	}
	var numbers []protoreflect.FieldNumber
	for _, x := range s.Extensions("z.Base") {
		numbers = append(numbers, x.Number())
	}
	if !slices.Equal(numbers, []protoreflect.FieldNumber{100, 101}) {
		t.Errorf("extensions %v", numbers)
	}
	if x := s.Extension("z.Base", 101); x == nil || x.FullName() != "x.one" {
		t.Errorf("extension 101 is %v", x)
	}
	if x := s.Extension("z.Base", 102); x != nil || s.Extension("p.Same", 100) != nil || len(s.Extensions("nope")) > 0 {
		t.Errorf("extension 102 is %v", x)
	}
}

// TestIndexFollowsEdits edits one file after the other, and compares the index with a new one after
// each edit.
func TestIndexFollowsEdits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, f := range alike {
		write(t, filepath.Join(dir, name), string(f.Data))
	}
	options := schema.Options{Sources: []schema.Source{schema.Path(dir)}}
	c := schema.New(options)
	compile(t, c)
	for i, edit := range []struct{ name, text string }{
		{"a.proto", "syntax = \"proto2\"; package p; message OnlyA {}"},
		{"c.proto", "syntax = \"proto2\"; package p; message Same { optional int32 c = 1; }"},
		{"z/x2.proto", "syntax = \"proto2\"; package y; import \"z/dep.proto\"; extend z.Base { optional int32 other = 102; }"},
		{"b.proto", "syntax = \"proto2\"; package q; message Same { optional int32 b = 1; }"},
		{"z/x1.proto", "syntax = "},
		{"broken.proto", "syntax = \"proto2\"; package p; message Broken {}"},
	} {
		write(t, filepath.Join(dir, edit.name), edit.text)
		if got, want := declarations(compile(t, c)), declarations(compile(t, schema.New(options))); got != want {
			t.Errorf("edit %d: the index says\n%swant\n%s", i, got, want)
		}
	}
}

func declarations(s *schema.Snapshot) string {
	var b strings.Builder
	for _, name := range strings.Fields("p.Same p.Same.a p.Same.b p.Same.c p.OnlyA p.A p.B p.Broken q.Same x.one x.M y.other z.Base") {
		if d, f := s.Find(protoreflect.FullName(name)); d != nil {
			fmt.Fprintln(&b, name, f.Path())
		}
	}
	for _, x := range s.Extensions("z.Base") {
		fmt.Fprintln(&b, x.Number(), x.FullName())
	}
	for _, d := range s.Diagnostics() {
		fmt.Fprintln(&b, d)
	}
	return b.String()
}

func TestIndexOfFiles(t *testing.T) {
	t.Parallel()
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.FS("alike", alike)}}))
	x := schema.NewIndex([]*schema.File{s.File("b.proto"), s.File("broken.proto"), s.File("a.proto")})
	if d := x.Find("p.Same"); d == nil || d.ParentFile().Path() != "b.proto" {
		t.Errorf("p.Same is %v", d)
	}
	if x.Find("z.Base") == nil || x.File("z/dep.proto") == nil {
		t.Error("the index does not have what the files import")
	}
	if x.Find("x.M") != nil || x.File("z/x1.proto") != nil || x.File("broken.proto") != nil {
		t.Error("the index has more than the files import")
	}
	if x = nil; x.Find("p.Same") != nil || x.File("a.proto") != nil || x.Extension("z.Base", 100) != nil {
		t.Error("a nil index is not empty")
	}
}

func TestShips(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"google.protobuf.Any": true, "google.api.http": true, "google.rpc": true, "google.type.Date.year": true, "buf.validate.field": true, "cel.expr.Expr": true,
		"grpc.gateway.protoc_gen_openapiv2.options.Info": true, "google/api/http.proto": true, "google/protobuf/any.proto": true,
		"protoc-gen-openapiv2/options/annotations.proto": true,
		"google": false, "googly.api": false, "shop.google.api": false, "": false, ".": false, "google/api": false, "google/ads/x.proto": false, "../x.proto": false,
	} {
		if schema.Ships(name) != want {
			t.Errorf("Ships(%q) is %t", name, !want)
		}
	}
}
