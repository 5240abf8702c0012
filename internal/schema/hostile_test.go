package schema_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/schema"
)

const good = "syntax = \"proto3\";\npackage good;\nmessage M {}\nservice S { rpc Do(M) returns (M); }\n"

// TestHostile compiles hostile texts. None causes a panic, or an error in the good
// file of the same folder.
func TestHostile(t *testing.T) {
	t.Parallel()
	head := "syntax = \"proto3\";\npackage x;\n"
	cases := map[string]struct {
		text string
		ok   bool
	}{
		"bom":             {"\xef\xbb\xbf" + head + "message X {}\n", true},
		"crlf":            {strings.ReplaceAll(head+"message X {\n string a = 1;\n}\n", "\n", "\r\n"), true},
		"empty":           {"", true},
		"latin1":          {head + "// caf\xe9\nmessage X { string a = 1; }\n", false},
		"utf16":           {"\xff\xfes\x00y\x00n\x00", false},
		"nul":             {head + "message X {}\x00", false},
		"random":          {string([]byte{0, 1, 2, 255, 254, 7, '{', '"', 'a'}), false},
		"open string":     {head + "message X { string a = 1 [default = \"abc", false},
		"deep messages":   {head + strings.Repeat("message X {", 100_000), false},
		"deep literals":   {head + "option (x) = " + strings.Repeat("{ a: ", 100_000), false},
		"deep lists":      {head + "option x = " + strings.Repeat("[", 1_000_000), false},
		"deep types":      {head + "message X { " + strings.Repeat("map<string,", 100_000), false},
		"deep minus":      {head + "option x = " + strings.Repeat("-", 1_000_000) + "1;", false},
		"deep spaced":     {head + "option x = " + strings.Repeat("- /* - */\n", 1_000_000) + "1;", false},
		"deep words":      {head + "message X { " + strings.Repeat("optional ", 1_000_000) + "X x = 1; }", false},
		"deep streams":    {head + "service X { rpc Do(" + strings.Repeat("stream ", 1_000_000) + "X) returns (X); }", false},
		"deep comments":   {head + strings.Repeat("// a < b ((( [ {\n// ------------------\n", 1000) + "/* {{{ */ message X {}", true},
		"deep strings":    {head + "message X { string a = 1 [json_name = '" + strings.Repeat("({[<-", 1000) + "']; }", true},
		"many plus":       {head + "option x = " + strings.Repeat("+", 1_000_000) + "1;", false},
		"many semicolons": {head + strings.Repeat(";", 1_000_000), true},
		"many strings":    {head + "option java_package = " + strings.Repeat("'a' ", 100_000) + ";", true},
		"many dots":       {head + "message X { " + strings.Repeat(".", 1_000_000) + "a f = 1; }", false},
		"compiler panics": {"option", false},
		"panics again":    {"repeated group G option!", false},
		"deep path":       {head + "message X { " + strings.Repeat("a.", 100_000) + "a f = 1; }", false},
		"long name":       {head + "message " + strings.Repeat("A", 1_000_000) + " {}", true},
		"many errors":     {head + strings.Repeat("message X { Nope a = 1; }\n", 500), false},
		"big number":      {head + "message X { string a = 99999999999999999999999999999; }", false},
		"any default":     {"syntax = \"proto2\"; package x; message X { optional X a = 1 [default = 1]; }", false},
		"extend scalar":   {head + "extend string { string a = 1; }", false},
		"rpc of enum":     {head + "enum E { A = 0; } service S { rpc Do(E) returns (E); }", false},
		"empty enum":      {head + "enum E {} message X { E e = 1; }", false},
		"map of map":      {head + "message X { map<string, map<string, string>> m = 1; }", false},
		"own descriptor":  {"syntax = \"proto2\"; package google.protobuf; message FileOptions {}", true},
		"extends options": {"syntax = \"proto2\"; package x; import \"google/protobuf/descriptor.proto\"; extend google.protobuf.FieldOptions { optional bool deprecated = 3; }", false},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, "good.proto"), good)
			write(t, filepath.Join(dir, "x.proto"), test.text)
			write(t, filepath.Join(dir, "y.proto"), "syntax = \"proto3\"; package y; import \"x.proto\"; service Y {}")
			s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}}))
			if ok := len(s.File("x.proto").Errors()) == 0; ok != test.ok {
				t.Errorf("no errors: %v, %v", ok, short(s.Errors()))
			}
			if (s.File("x.proto").Descriptor() != nil) != test.ok || (s.File("y.proto").Descriptor() != nil) != test.ok {
				t.Error("an importer fares otherwise than what it imports")
			}
			if len(s.File("good.proto").Errors()) > 0 || s.File("good.proto").Descriptor() == nil {
				t.Errorf("the good file: %v", s.File("good.proto").Errors())
			}
		})
	}
}

func short(list []*diag.Diagnostic) (out []string) {
	for _, d := range list[:min(3, len(list))] {
		out = append(out, d.Error()[:min(300, len(d.Error()))])
	}
	return out
}

// TestOwnLanguageDefinition compiles a root with another descriptor.proto: the one that ships is
// used.
func TestOwnLanguageDefinition(t *testing.T) {
	t.Parallel()
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.FS("mine", fstest.MapFS{
		"google/protobuf/descriptor.proto": {Data: []byte("syntax = \"proto2\"; package google.protobuf; message FileOptions {}")},
		"google/protobuf/timestamp.proto":  {Data: []byte("syntax = \"proto3\"; package google.protobuf; message Timestamp { int64 own = 1; }")},
		"a.proto":                          {Data: []byte("syntax = \"proto3\"; import \"google/protobuf/timestamp.proto\"; import \"google/api/annotations.proto\"; message M { google.protobuf.Timestamp t = 1; }")},
	})}}))
	for _, d := range s.Errors() {
		t.Error(d.Text)
	}
	if m := s.File("a.proto").Descriptor().Messages().Get(0).Fields().Get(0).Message(); m.Fields().ByName("own") == nil {
		t.Error("the root's own timestamp.proto was not used")
	}
}

func TestOddFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "good.proto"), good)
	write(t, filepath.Join(dir, "folder.proto/a.proto"), service("A"))
	write(t, filepath.Join(dir, ".hidden/b.proto"), service("B"))
	write(t, filepath.Join(dir, ".b.proto"), service("B"))
	write(t, filepath.Join(dir, "large.proto"), strings.Repeat("// large\n", 200))
	write(t, filepath.Join(dir, "back\\slash.proto"), service("C"))
	write(t, filepath.Join(dir, "bad\xffname.proto"), service("D"))
	write(t, filepath.Join(dir, "new\nline.proto"), service("E"))
	write(t, filepath.Join(dir, "wörld ☃.proto"), service("F"))
	must(t, os.Symlink("gone.proto", filepath.Join(dir, "dangling.proto")))
	must(t, os.Symlink(".", filepath.Join(dir, "loop")))
	must(t, os.Mkdir(filepath.Join(dir, "empty"), 0o755))
	write(t, filepath.Join(dir, "secret.proto"), service("G"))
	must(t, os.Chmod(filepath.Join(dir, "secret.proto"), 0))
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}, Limits: schema.Limits{FileBytes: 1000}}))
	want := "good.S p.A p.F"
	if os.Getuid() == 0 {
		want += " p.G" // root may read all
	}
	if got := strings.Join(names(s), " "); got != want {
		t.Errorf("services %s: %v", got, s.Diagnostics())
	}
	for _, part := range []string{"larger than 1000", "backslash", "UTF-8", "control character", "dangling.proto: cannot be read"} {
		found := false
		for _, d := range s.Errors() {
			found = found || strings.Contains(d.Error(), part)
		}
		if !found {
			t.Errorf("no error says %q: %v", part, s.Errors())
		}
	}
	if c := schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}, Limits: schema.Limits{Files: 2}}); func() error {
		_, err := c.Compile(t.Context())
		return err
	}() == nil {
		t.Error("the limit of files does not hold")
	}
}
