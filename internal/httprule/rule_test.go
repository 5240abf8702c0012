package httprule_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/httprule"
	"github.com/dyngate/dyngate/internal/schematest"
)

// library is a schema with annotations of every kind.
var library = schematest.Compile(map[string]string{"library.proto": `syntax = "proto3";
package lib;
import "google/api/annotations.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/struct.proto";

service Library {
  rpc Get(Request) returns (Response) {
    option (google.api.http) = {
      get: "/v1/{name=shelves/*}/{book.title}:read"
      response_body: "books"
      additional_bindings { post: "/v2/{name}" body: "*" }
      additional_bindings { custom { kind: "HEAD" path: "/v3/{at}" } body: "book" }
    };
  }
  rpc Plain(Request) returns (Response);
}
message Request {
  string name = 1;
  Book book = 2;
  repeated string tags = 3;
  map<string, string> labels = 4;
  google.protobuf.Timestamp at = 5;
  google.protobuf.Int64Value count = 6;
  google.protobuf.Struct data = 7;
  bytes raw = 8;
  Kind kind = 9;
  repeated Book books = 10;
}
message Book { string title = 1; Author author = 2; }
message Author { string name = 1; }
enum Kind { KIND_UNSPECIFIED = 0; }
message Response { repeated Book books = 1; }
`})

func method(t *testing.T, name protoreflect.FullName) protoreflect.MethodDescriptor {
	t.Helper()
	d, _ := schematest.Find(t, library, name)
	m, ok := d.(protoreflect.MethodDescriptor)
	if !ok {
		t.Fatalf("%s is not a method", name)
	}
	return m
}

func TestBindings(t *testing.T) {
	m := method(t, "lib.Library.Get")
	rule, err := httprule.RuleOf(m)
	if err != nil {
		t.Fatal(err)
	}
	at := diag.Position{Path: "x", Line: 1}
	bindings, problems := httprule.Bindings(m, rule, at)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var got []string
	for _, b := range bindings {
		line := fmt.Sprintf("%s %s", b.Verb, b.Template)
		for _, v := range b.Vars {
			line += fmt.Sprintf(" %s=%s multi=%v", v.Name, v.Field[len(v.Field)-1].FullName(), v.Multi)
		}
		if b.Body.Whole {
			line += " body=*"
		}
		if b.Body.Field != nil {
			line += " body=" + string(b.Body.Field.Name())
		}
		if b.Response != nil {
			line += " response=" + string(b.Response.Name())
		}
		if b.Path() != "/lib.Library/Get" || b.Position != at || b.Method != m {
			t.Errorf("%+v", b)
		}
		got = append(got, line)
	}
	want := []string{
		"GET /v1/{name=shelves/*}/{book.title}:read name=lib.Request.name multi=true book.title=lib.Book.title multi=false response=books",
		"POST /v2/{name} name=lib.Request.name multi=false body=*",
		"HEAD /v3/{at} at=lib.Request.at multi=false body=book",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestDefault(t *testing.T) {
	m := method(t, "lib.Library.Plain")
	if rule, err := httprule.RuleOf(m); rule != nil || err != nil {
		t.Errorf("RuleOf = %v, %v", rule, err)
	}
	b := httprule.Default(m)
	tree, _ := httprule.NewTree([]*httprule.Binding{b})
	if got, _ := tree.Find("POST", "/lib.Library/Plain", nil); got != b || !b.Body.Whole || b.Template.String() != b.Path() {
		t.Errorf("%+v", b)
	}
}

// TestBindingProblems has each mistake that a rule can have.
func TestBindingProblems(t *testing.T) {
	for rule, want := range map[string]string{
		``:                                  `it has no path: set one of get, put, post, delete, patch and custom`,
		`get: ""`:                           `the path is invalid: a template begins with a slash`,
		`get: "/{name"`:                     "the path is invalid: expected }, which ends the variable from offset 1\n/{name\n      ^",
		`get: "/{nam}"`:                     `path variable {nam}: message lib.Request has no field "nam" (did you mean "name"`,
		`get: "/{name}/{name}"`:             `path variable {name} occurs twice`,
		`get: "/{name.x}"`:                  `path variable {name.x}: field lib.Request.name is not a message, so it has no field "x"`,
		`get: "/{book.author.nme}"`:         `path variable {book.author.nme}: message lib.Author has no field "nme" (did you mean "name"?)`,
		`get: "/{tags}"`:                    `path variable {tags}: field lib.Request.tags is repeated`,
		`get: "/{labels}"`:                  `path variable {labels}: field lib.Request.labels is repeated`,
		`get: "/{books.title}"`:             `path variable {books.title}: field lib.Request.books is repeated`,
		`get: "/{book}"`:                    `path variable {book}: field lib.Request.book is a message, which has no text form: name one of its fields, such as {book.title}`,
		`get: "/{data}"`:                    `field lib.Request.data is a message, which has no text form`,
		`post: "/" body: "bok"`:             `body names field "bok", which message lib.Request does not have (did you mean "book"`,
		`post: "/" body: "book.title"`:      `body "book.title" is inside another field: it must be a field of lib.Request itself`,
		`get: "/" response_body: "x"`:       `response_body names field "x", which message lib.Response does not have`,
		`get: "/" response_body: "*"`:       `leave out response_body for the whole response`,
		`custom { path: "/" }`:              `the custom kind "" is not an HTTP verb`,
		`custom { kind: "A B" path: "/" }`:  `the custom kind "A B" is not an HTTP verb`,
		`custom { kind: "head" path: "/" }`: `HTTP verbs are in capitals: write "HEAD" instead of "head"`,
		`get: "/" additional_bindings { get: "/a" additional_bindings { get: "/b" } }`: `an additional binding has additional_bindings of its own`,
		`get: "/" additional_bindings { }`:                                             `it has no path`,
		`get: "/{at}/{count}/{raw}/{kind}/{book.title}"`:                               "",
		`get: "/" body: "*"`:                 "",
		`delete: "/" body: "tags"`:           "",
		`post: "/{book.title}" body: "book"`: "",
		`custom { kind: "*" path: "/" }`:     "",
		`get: "/a" additional_bindings { put: "/a" } additional_bindings { patch: "/{name}" }`: "",
	} {
		var parsed annotations.HttpRule
		if err := prototext.Unmarshal([]byte(rule), &parsed); err != nil {
			t.Fatal(err)
		}
		bindings, problems := httprule.Bindings(method(t, "lib.Library.Plain"), &parsed, diag.Position{Path: "x.proto", Line: 3})
		if want == "" {
			if len(problems) > 0 || len(bindings) != 1+len(parsed.GetAdditionalBindings()) {
				t.Errorf("%s: %d bindings, %v", rule, len(bindings), problems)
			}
			continue
		}
		if len(problems) != 1 {
			t.Errorf("%s: %v", rule, problems)
			continue
		}
		text := problems[0].Message
		if !strings.Contains(text, want) || !strings.HasPrefix(text, "the HTTP rule of lib.Library.Plain: ") || problems[0].Line != 3 {
			t.Errorf("%s:\ngot  %s\nwant %s", rule, text, want)
		}
	}
}

// TestRuleOf reads rules of options that the program knows, does not know, and that hold
// something else.
func TestRuleOf(t *testing.T) {
	known := method(t, "lib.Library.Get")
	if rule, err := httprule.RuleOf(known); err != nil || rule.GetGet() == "" {
		t.Errorf("%v, %v", rule, err)
	}
	strange := schematest.Compile(map[string]string{"s.proto": `syntax = "proto2";
package s;
import "google/protobuf/descriptor.proto";
extend google.protobuf.MethodOptions { optional bytes other = 72295728; }
service S { rpc Do(M) returns (M) { option (other) = "\377\377"; } }
message M {}
`})
	d, _ := schematest.Find(t, strange, "s.S.Do")
	_, err := httprule.RuleOf(d.(protoreflect.MethodDescriptor))
	if err == nil || !strings.Contains(err.Error(), "is not a google.api.HttpRule") {
		t.Errorf("got %v", err)
	}
}

func TestPositions(t *testing.T) {
	m := method(t, "lib.Library.Get")
	f := library.File("library.proto")
	for _, tt := range []struct {
		part httprule.Part
		want string
	}{
		{httprule.Part{}, "10:12"},
		{httprule.Part{Field: "get"}, "11:7"},
		{httprule.Part{Field: "response_body"}, "12:7"},
		{httprule.Part{Field: "body"}, "10:12"},
		{httprule.Part{Binding: 1}, "13:29"},
		{httprule.Part{Binding: 1, Field: "body"}, "13:48"},
		{httprule.Part{Binding: 2, Field: "custom"}, "14:29"},
		{httprule.Part{Binding: 7, Field: "custom"}, "10:12"},
	} {
		at := f.OptionPosition(m, tt.part.Path()...)
		if got := fmt.Sprintf("%d:%d", at.Line, at.Column); got != tt.want {
			t.Errorf("%+v: got %s, want %s", tt.part, got, tt.want)
		}
	}
}
