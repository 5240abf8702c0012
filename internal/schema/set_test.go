package schema_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/schema"
)

// toSet compiles a folder and writes the files into a descriptor set, imports first.
func toSet(t testing.TB, s *schema.Snapshot, paths ...string) *descriptorpb.FileDescriptorSet {
	t.Helper()
	set := new(descriptorpb.FileDescriptorSet)
	seen := make(map[string]bool)
	var add func(path string)
	add = func(path string) {
		if seen[path] {
			return
		}
		seen[path] = true
		f := s.File(path)
		fd := f.DescriptorWithComments()
		if fd == nil {
			t.Fatalf("%s: %v", path, f.Errors())
		}
		for i := range fd.Imports().Len() {
			add(fd.Imports().Get(i).Path())
		}
		set.File = append(set.File, protodesc.ToFileDescriptorProto(fd))
	}
	for _, p := range paths {
		add(p)
	}
	return set
}

func writeSet(t testing.TB, path string, set proto.Message) {
	t.Helper()
	content, err := proto.Marshal(set)
	must(t, err)
	must(t, os.WriteFile(path, content, 0o644))
}

// rich has elements that are hard to render: groups, maps, oneofs, defaults, extensions, features,
// visibility.
var rich = map[string]string{
	"two.proto": `syntax = "proto2";
package two;
import "google/protobuf/descriptor.proto";
option java_package = "x.\"y\"\n";
// A message.
message M {
  required string name = 1 [default = "a\"\\\n\001é"];
  optional bytes raw = 2 [default = "\000\377'\""];
  optional double d = 3 [default = -inf];
  optional E e = 4 [default = B];
  repeated int32 packed = 5 [packed = true];
  map<string, M> children = 6;
  map<int32, E> kinds = 16;
  optional group Inner = 7 { optional int32 x = 1; }
  oneof choice { string one = 8; group Two = 9 { optional bool y = 1; } }
  optional string odd = 10 [json_name = "o-d-d", deprecated = true];
  enum E { option allow_alias = true; A = 0; B = 1; C = 1 [deprecated = true]; reserved 5 to 7, 9; reserved "OLD"; }
  message Nested { extend M { optional Nested nested = 101; } }
  reserved 50 to 60, 70;
  reserved "gone", "lost";
  extensions 100 to 199;
  extensions 1000 to max;
}
extend M { optional string more = 100; repeated group Grown = 102 { optional int32 z = 1; } }
extend google.protobuf.MethodOptions { optional M note = 50000; }
service S { rpc Do(M) returns (stream M) { option (note) = { name: "x" [two.more]: "y" }; } }
`,
	"e2023.proto": `edition = "2023";
package e23;
import public "two.proto";
option features.field_presence = IMPLICIT;
option features.(pb.go).api_level = API_OPEN;
import "google/protobuf/go_features.proto";
message M {
  string name = 1 [features.field_presence = EXPLICIT];
  M child = 2 [features.message_encoding = DELIMITED];
  repeated int32 list = 3 [features.repeated_field_encoding = EXPANDED];
  reserved gone;
  enum Closed { option features.enum_type = CLOSED; ONE = 1; }
}
`,
	"e2024.proto": `edition = "2024";
package e24;
import "e2023.proto";
message M { e23.M a = 1; two.M b = 2; local enum Hidden { HIDDEN_ZERO = 0; } export message Shown {} }
service T { rpc Do(M) returns (two.M); }
`,
	"three.proto": `syntax = "proto3";
package three;
import "e2024.proto";
message M { optional string maybe = 1; string plain = 2; repeated int32 n = 3 [packed = false]; oneof o { int32 a = 4; } optional e24.M m = 5; }
service U { rpc Do(M) returns (e24.M); }
`,
}

// importer uses all elements of rich from source text.
const importer = `syntax = "proto2";
package user;
import "two.proto";
import "three.proto";
import "e2024.proto";
extend two.M { optional string mine = 1001; }
message M { optional two.M a = 1; optional three.M b = 2; optional e24.M.Shown c = 3; optional two.M.E e = 4 [default = B]; }
service V { rpc Do(M) returns (two.M) { option (two.note) = { name: "v" [two.M.Nested.nested] {} inner { x: 1 } }; } }
`

func TestSet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range rich {
		write(t, filepath.Join(dir, "src", name), text)
	}
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(filepath.Join(dir, "src"))}}))
	for _, d := range s.Errors() {
		t.Fatal(d.Text)
	}
	write(t, filepath.Join(dir, "own/user.proto"), importer)
	set := filepath.Join(dir, "set.binpb")
	writeSet(t, set, toSet(t, s, "three.proto"))

	c := schema.New(schema.Options{Sources: []schema.Source{schema.Path(filepath.Join(dir, "own")), schema.Path(set)}})
	got := compile(t, c)
	for _, d := range got.Errors() {
		t.Error(d.Text)
	}
	if fmt.Sprint(names(got)) != "[e24.T three.U two.S user.V]" {
		t.Fatalf("services %v", names(got))
	}
	for name := range rich {
		want := protodesc.ToFileDescriptorProto(s.File(name).DescriptorWithComments())
		have := protodesc.ToFileDescriptorProto(got.File(name).DescriptorWithComments())
		if !proto.Equal(want, have) {
			t.Errorf("%s changed on its way:\n%v\n%v", name, want, have)
		}
	}
	two := got.File("two.proto")
	if two.Location() != set+"!two.proto" {
		t.Errorf("location %s", two.Location())
	}
	if line, col := two.Position(two.Descriptor().Messages().ByName("M")); line != 6 || col != 1 {
		t.Errorf("position %d:%d", line, col)
	}
	if got.File("user.proto").Descriptor().Messages().Get(0).Fields().ByName("a").Message() != two.Descriptor().Messages().ByName("M") {
		t.Error("the importer has its own copy of what it imports")
	}
	if compile(t, c) != got {
		t.Error("nothing changed, the snapshot did")
	}

	// The set is written again with one file changed.
	write(t, filepath.Join(dir, "src/three.proto"), strings.ReplaceAll(rich["three.proto"], "plain", "fancy"))
	s = compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(filepath.Join(dir, "src"))}}))
	writeSet(t, set, toSet(t, s, "three.proto"))
	next := compile(t, c)
	if next.File("two.proto") != got.File("two.proto") || next.File("three.proto") == got.File("three.proto") {
		t.Error("the wrong files changed")
	}
}

func TestSetImage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.proto"), service("A"))
	write(t, filepath.Join(dir, "b.proto"), "syntax = \"proto3\";\nimport \"a.proto\";\nservice B { rpc Do(p.MA) returns (p.MA); }\n")
	set := toSet(t, compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}})), "b.proto")
	ext := protowire.AppendTag(nil, 1, protowire.VarintType)
	ext = protowire.AppendVarint(ext, 1)
	set.File[0].ProtoReflect().SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, 8042, protowire.BytesType), ext))
	writeSet(t, filepath.Join(dir, "image.binpb"), set)
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(filepath.Join(dir, "image.binpb"))}}))
	if got := names(s); fmt.Sprint(got) != "[B]" || len(s.Files()) != 1 || s.File("a.proto") == nil {
		t.Errorf("services %v, %v", got, s.Diagnostics())
	}
}

// TestSetFormats reads a buf image in all the formats that buf writes.
func TestSetFormats(t *testing.T) {
	t.Parallel()
	const asJSON = `{"file": [
		{"name": "a.proto", "package": "p", "messageType": [{"name": "M"}], "syntax": "proto3",
			"bufExtension": {"isImport": true, "isSyntaxUnspecified": false, "moduleInfo": {"name": {"owner": "x"}}}},
		{"name": "b.proto", "dependency": ["a.proto"], "syntax": "proto3", "bufExtension": {"isImport": false},
			"service": [{"name": "B", "method": [{"name": "Do", "inputType": ".p.M", "outputType": ".p.M"}]}]}]}`
	const asText = `file { name: "a.proto" package: "p" message_type { name: "M" } syntax: "proto3"
			buf_extension { is_import: true is_syntax_unspecified: false module_info { name { owner: "x" } } } }
		file { name: "b.proto" dependency: "a.proto" syntax: "proto3" buf_extension { is_import: false }
			service { name: "B" method { name: "Do" input_type: ".p.M" output_type: ".p.M" } } }`
	binary, err := binarySetForTest(asText)
	must(t, err)
	for name, content := range map[string]string{"i.json": asJSON, "i.txtpb": asText, "i.binpb": binary} {
		var zipped bytes.Buffer
		w := gzip.NewWriter(&zipped)
		_, _ = w.Write([]byte(content))
		must(t, w.Close())
		for path, content := range map[string]string{name: content, name + ".gz": zipped.String()} {
			path = filepath.Join(t.TempDir(), path)
			write(t, path, content)
			s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(path)}}))
			if got := names(s); fmt.Sprint(got) != "[B]" || len(s.Files()) != 1 || s.File("a.proto") == nil {
				t.Errorf("%s: services %v, %v", path, got, s.Diagnostics())
			}
			bad := filepath.Join(filepath.Dir(path), "bad-"+filepath.Base(path))
			write(t, bad, "\xff?")
			if s = compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(bad)}})); len(s.Errors()) != 1 {
				t.Errorf("%s: %v", bad, s.Errors())
			}
		}
	}
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, _ = w.Write(make([]byte, 10<<20))
	must(t, w.Close())
	path := filepath.Join(t.TempDir(), "bomb.binpb.gz")
	write(t, path, bomb.String())
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(path)}, Limits: schema.Limits{SetBytes: 1 << 20}}))
	if len(s.Errors()) != 1 || !strings.Contains(s.Errors()[0].Message, "larger than") {
		t.Errorf("a bomb: %v", s.Errors())
	}
}

func binarySetForTest(text string) (string, error) {
	set := new(descriptorpb.FileDescriptorSet)
	err := prototext.UnmarshalOptions{DiscardUnknown: true}.Unmarshal([]byte(text), set)
	if err != nil {
		return "", err
	}
	ext := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 1)
	set.File[0].ProtoReflect().SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, 8042, protowire.BytesType), ext))
	content, err := proto.Marshal(set)
	return string(content), err
}

// TestSetBad reads invalid sets: each causes an error that names the set.
func TestSetBad(t *testing.T) {
	t.Parallel()
	fd := func(text func(*descriptorpb.FileDescriptorProto)) []byte {
		f := &descriptorpb.FileDescriptorProto{Name: proto.String("a.proto"), Syntax: proto.String("proto3")}
		text(f)
		content, _ := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{f}})
		return content
	}
	cases := map[string][]byte{
		"not a set":   []byte("syntax = \"proto3\";"),
		"cut off":     fd(func(*descriptorpb.FileDescriptorProto) {})[:5],
		"no name":     fd(func(f *descriptorpb.FileDescriptorProto) { f.Name = nil }),
		"escapes":     fd(func(f *descriptorpb.FileDescriptorProto) { f.Name = proto.String("../a.proto") }),
		"absolute":    fd(func(f *descriptorpb.FileDescriptorProto) { f.Name = proto.String("/a.proto") }),
		"bad syntax":  fd(func(f *descriptorpb.FileDescriptorProto) { f.Syntax = proto.String("proto9") }),
		"no import":   fd(func(f *descriptorpb.FileDescriptorProto) { f.Dependency = []string{"none.proto"} }),
		"self import": fd(func(f *descriptorpb.FileDescriptorProto) { f.Dependency = []string{"a.proto"} }),
		"public":      fd(func(f *descriptorpb.FileDescriptorProto) { f.PublicDependency = []int32{7} }),
		"no type": fd(func(f *descriptorpb.FileDescriptorProto) {
			f.MessageType = []*descriptorpb.DescriptorProto{{Name: proto.String("M"), Field: []*descriptorpb.FieldDescriptorProto{{
				Name: proto.String("f"), Number: proto.Int32(1), TypeName: proto.String(".Nope"),
				Type: descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
			}}}}
		}),
		"bad name": fd(func(f *descriptorpb.FileDescriptorProto) {
			f.MessageType = []*descriptorpb.DescriptorProto{{Name: proto.String("a b")}}
		}),
		"twice": append(fd(func(*descriptorpb.FileDescriptorProto) {}), fd(func(*descriptorpb.FileDescriptorProto) {})...),
	}
	for name, content := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "set.pb")
			must(t, os.WriteFile(path, content, 0o644))
			s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(path)}}))
			if len(s.Errors()) == 0 {
				t.Fatal("no error")
			}
			if d := s.Errors()[0]; !strings.HasPrefix(d.Path, path) || d.Message == "" || d.Text == "" {
				t.Errorf("error %q", d.Error())
			}
			t.Log(s.Errors()[0])
		})
	}
}

// TestSetImportsSource compiles a set's file that imports a file of a folder, which takes
// precedence over the set's own.
func TestSetImportsSource(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "src/a.proto"), service("A"))
	write(t, filepath.Join(dir, "src/b.proto"), "syntax = \"proto3\";\nimport \"a.proto\";\nservice B { rpc Do(p.MA) returns (p.MA); }\n")
	src := schema.Path(filepath.Join(dir, "src"))
	writeSet(t, filepath.Join(dir, "set.binpb"), toSet(t, compile(t, schema.New(schema.Options{Sources: []schema.Source{src}})), "b.proto"))
	write(t, filepath.Join(dir, "own/a.proto"), strings.Replace(service("A"), "{}", "{ string mine = 1; }", 1))
	set := schema.Path(filepath.Join(dir, "set.binpb"))
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(filepath.Join(dir, "own")), set}}))
	if fmt.Sprint(names(s)) != "[B p.A]" {
		t.Fatalf("services %v, %v", names(s), s.Errors())
	}
	in := s.Services()[0].Desc.Methods().Get(0).Input()
	if in.Fields().ByName("mine") == nil {
		t.Error("the set's copy won")
	}
}

// TestSetStaysBroken truncates a set: its services become broken but are not removed, and
// recover later.
func TestSetStaysBroken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "src/a.proto"), service("A"))
	path := filepath.Join(dir, "set.pb")
	writeSet(t, path, toSet(t, compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(filepath.Join(dir, "src"))}})), "a.proto"))
	whole, err := os.ReadFile(path)
	must(t, err)
	c := schema.New(schema.Options{Sources: []schema.Source{schema.Path(path)}})
	first := compile(t, c)
	for _, content := range [][]byte{whole[:len(whole)/2], nil, []byte("garbage"), {}} {
		must(t, os.WriteFile(path, content, 0o644))
		s := compile(t, c)
		if len(s.Services()) > 0 || len(s.Broken()) != 1 || s.Broken()[0].Name != "p.A" || len(s.Broken()[0].Errors) == 0 {
			t.Errorf("services %v, broken %v", names(s), s.Broken())
		}
	}
	must(t, os.WriteFile(path, whole, 0o644))
	if s := compile(t, c); len(s.Services()) != 1 || s.File("a.proto").Descriptor() != first.File("a.proto").Descriptor() {
		t.Errorf("after it was fixed: %v", s.Errors())
	}
}
