package describe_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/describe"
	"github.com/dyngate/dyngate/internal/schema"
	"github.com/dyngate/dyngate/internal/schematest"
)

// fileSource prints a whole file.
func fileSource(t testing.TB, f *schema.File) string {
	t.Helper()
	got, err := describe.Source(f.Descriptor(), f.DescriptorWithComments())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestSourceMeansTheSame compiles what was printed.
func TestSourceMeansTheSame(t *testing.T) {
	printed := map[string]string{}
	for _, f := range testSchema.Files() {
		printed[f.Path()] = fileSource(t, f)
	}
	again := schematest.Compile(printed)
	for _, f := range testSchema.Files() {
		path := f.Path()
		if diff := cmp.Diff(meaning(f), meaning(again.File(path)), protocmp.Transform()); diff != "" {
			t.Errorf("%s changed (-want +got):\n%s\n%s", path, diff, printed[path])
		}
		if twice := fileSource(t, again.File(path)); twice != printed[path] {
			t.Errorf("%s (-once +twice):\n%s", path, cmp.Diff(printed[path], twice))
		}
	}
}

// TestServiceIsPrintedAsInItsFile compares what is printed of a service alone, from
// an excerpt, with the whole file.
func TestServiceIsPrintedAsInItsFile(t *testing.T) {
	files := schematest.Compile(map[string]string{
		"options.proto": `syntax = "proto3"; package o; import "google/protobuf/descriptor.proto";
			message Scope { extend google.protobuf.MethodOptions { Rule nested = 50003; } }
			message Rule { string path = 1; repeated int32 n = 2; Rule more = 3; map<string, int32> m = 4; }
			extend google.protobuf.ServiceOptions { Rule rule = 50001; repeated string names = 50004; }
			extend google.protobuf.MethodOptions { Rule on = 50002; }`,
		"public.proto": `syntax = "proto3"; package p; import public "types.proto"; import public "options.proto";`,
		"types.proto":  `syntax = "proto3"; package p.types; message A { message B {} }`,
		"s.proto": `syntax = "proto3"; package p; import "public.proto"; // detached

			message R { message Inner {} }
			service First {}
			// Second is commented.
			service Second { // trailing
				option (o.rule) = { path: "x" n: [1, 2] m: { key: "k" value: 1 } };
				option (o.names) = "a";
				option (o.names) = "b";
				option deprecated = true;
				// Do does.
				rpc Do(R.Inner) returns (stream types.A.B) { option (o.on) = { path: "y" more: { path: "z" } }; option (o.Scope.nested).path = "n"; }
				rpc Do2(stream R) returns (.p.types.A);
			}`,
	})
	for _, s := range slices.Concat(testSchema.Services(), files.Services()) {
		whole := fileSource(t, s.File)
		got, err := describe.Source(s.Desc, s.File.DescriptorWithComments())
		if err != nil || !strings.Contains(whole, got) {
			t.Errorf("%s: %v\n%s\nin its file:\n%s", s.Desc.FullName(), err, got, whole)
		}
	}
}

func meaning(f *schema.File) *descriptorpb.FileDescriptorProto {
	return protodesc.ToFileDescriptorProto(f.Descriptor())
}

func TestSource(t *testing.T) {
	for name, want := range map[protoreflect.FullName]string{
		"RouteGuide.ListFeature": "// ListFeature returns the features inside a rectangle, edges included.\nrpc ListFeature(Rectangle) returns (stream Feature);\n",
		"Point":                  "// Point is a place in E7 coordinates: degrees times 10,000,000, rounded.\nmessage Point {\n  int32 latitude = 1;\n  int32 longitude = 2;\n}\n",
		"Cal": `// Cal calculates with 32-bit integers. A result that does not fit is
// OUT_OF_RANGE.
service Cal {
  rpc Add(AddRequest) returns (ResultReply);
  rpc Multiply(MultiplyRequest) returns (ResultReply);
}
`,
		"tutorial.HelloRequest": `message HelloRequest {
  // A request without a name is refused with INVALID_ARGUMENT.
  required string name = 1;
}
`,
		"RouteSummary.distance": "// The distance covered, in metres.\nint32 distance = 3;\n",
		"e23.Empty":             "message Empty {}\n",
		"e23.M": `// Msg.
message M {
  string name = 1 [
    features = { field_presence: EXPLICIT },
    (two.hint) = "hi"
  ];

  M child = 2 [features = { message_encoding: DELIMITED }];
  int32 must = 4 [features = { field_presence: LEGACY_REQUIRED }];
  repeated int32 list = 3 [features = { repeated_field_encoding: EXPANDED }];

  reserved gone;

  enum Closed {
    option features = { enum_type: CLOSED };

    ONE = 1;
  }

  Closed closed = 5 [features = { field_presence: EXPLICIT }];
}
`,
		"three.sub.U": `// Block comment
// on two lines.
service U {
  rpc Do(M) returns (e23.M) {
    option (google.api.http) = {
      post: "/v1/{name=messages/*}",
      body: "*",
      additional_bindings: [ { get: "/v2" } ]
    };
  }

  rpc Up(stream M) returns (stream e23.M);
  rpc Both(M.In) returns (google.protobuf.Empty);
}
`,
		"three.sub.M.plain": "string plain = 2 [(buf.validate.field) = { string: { min_len: 3 } }];\n",
		"three.sub.M.o":     "oneof o {\n  int32 a = 4;\n  string b = 8;\n}\n",
		"three.sub.M.maybe": "optional string maybe = 1;\n",
		"three.sub.M.In":    "message In {\n  message Deep {\n    int32 x = 1;\n  }\n\n  Deep d = 1;\n}\n",
		"two.M.d":           "optional double d = 3 [default = -inf];\n",
		"two.M.f":           "optional float f = 11 [default = inf];\n",
		"two.M.inner":       "// A group.\nrequired group Inner = 7 {\n  required int32 x = 1;\n}\n",
		"two.M.children":    "map<string, M> children = 6; // trailing\n",
		"two.M.B":           "B = 1;\n",
		"two.M.E": `enum E {
  option allow_alias = true;

  A = 0;
  B = 1;
  C = 1 [deprecated = true];

  reserved 5 to 7, 9;
  reserved "OLD";
}
`,
		"two.more":            "extend M {\n  optional string more = 100;\n}\n",
		"two.M.Nested":        "// Only here.\nmessage Nested {\n  extend M {\n    optional Nested nested = 101;\n  }\n}\n",
		"two.M.Nested.nested": "extend M {\n  optional Nested nested = 101;\n}\n",
		"two.S.Do": `// Does it.
rpc Do(M) returns (stream M) {
  option deprecated = true;
  option (note) = { name: "x", inner: { x: 1 }, [more]: "y" };
  option (tags) = "a";
  option (tags) = "b";
}
`,
	} {
		d, f := schematest.Find(t, testSchema, name)
		got, err := describe.Source(d, f.DescriptorWithComments())
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestSourceOfFile(t *testing.T) {
	got := fileSource(t, testSchema.File("two.proto"))
	want := `// Copyright nobody.

syntax = "proto2";

// About the package.
package two;

import "google/protobuf/descriptor.proto";

option java_package = "x.\"y\"\n";
option optimize_for = SPEED;

// M has
// everything.
message M {
`
	if head := got[:min(len(got), len(want))]; head != want {
		t.Errorf("(-want +got):\n%s", cmp.Diff(want, head))
	}
	if strings.Contains(got, "\n\n\n") || strings.HasSuffix(got, "\n\n") || !strings.HasSuffix(got, "}\n") {
		t.Errorf("too many or too few empty lines:\n%s", got)
	}
}

// TestSourceWithoutView knows of no comments.
func TestSourceWithoutView(t *testing.T) {
	d, f := schematest.Find(t, testSchema, "Point")
	got, err := describe.Source(d, nil)
	if want := "message Point {\n  int32 latitude = 1;\n  int32 longitude = 2;\n}\n"; got != want || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	// As from a server's reflection, which sends comments along.
	fd, err := protodesc.NewFile(protodesc.ToFileDescriptorProto(f.DescriptorWithComments()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := describe.Source(fd.Messages().ByName("Point"), nil); !strings.HasPrefix(got, "// Point is a place") || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSourceErrors(t *testing.T) {
	d, _ := schematest.Find(t, testSchema, "Point")
	if _, err := describe.Source(d, testSchema.File("two.proto").Descriptor()); err == nil || err.Error() != "two.proto does not declare Point" {
		t.Errorf("got %v", err)
	}
}

// TestSourceTerminal prints comments that were written for a terminal.
func TestSourceTerminal(t *testing.T) {
	fd, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name:        proto.String("x.proto"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M")}},
		SourceCodeInfo: &descriptorpb.SourceCodeInfo{Location: []*descriptorpb.SourceCodeInfo_Location{{
			Path: []int32{4, 0}, Span: []int32{0, 0, 0}, LeadingComments: proto.String(" a\x1b[2J\u009b\u202e\r\n b\t日\u3000\n"),
		}}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := describe.Source(fd.Messages().Get(0), nil)
	if want := "// a\ufffd[2J\ufffd\ufffd\n// b\t日\u3000\nmessage M {}\n"; got != want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}
