package cli

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// check runs `dyngate check` and returns what it prints, with paths relative to
// dir, what it logs, and its exit status.
func check(t *testing.T, dir string, args ...string) (out, log string, status int) {
	t.Helper()
	r := rig.Run(t, append([]string{"check"}, args...)...)
	return strings.ReplaceAll(r.Stdout, dir+string(filepath.Separator), ""), r.Stderr, r.Status
}

// checked are the folders that the tests check.
var checked = map[string]string{
	"good/a.proto":      rig.ServiceProto("A"),
	"good/b.proto":      "syntax = \"proto3\";\npackage p;\nimport \"a.proto\";\nservice B { rpc Do(AMessage) returns (AMessage); rpc Other(AMessage) returns (stream AMessage); }\n",
	"again/a.proto":     rig.ServiceProto("Again"),
	"broken/a.proto":    "syntax = \"proto3\";\npackage a;\nmessage M {\n  strin text = 1;\n}\n",
	"broken/b.proto":    "syntax = \"proto3\";\npackage b;\nmessage M {\n  string a = 1;\n  string b = 1;\n}\n",
	"broken/c.proto":    rig.ServiceProto("Good"),
	"unfit/a.proto":     "syntax = \"proto2\";\npackage tutorial;\nmessage Hello { required int32 name = 1; required string message = 2; }\nservice Greeter {\n  rpc SayHello(Hello) returns (Hello);\n}\n",
	"old/a.proto":       "syntax = \"proto3\";\npackage p;\nmessage AMessage { string text = 1; string gone = 2; }\nservice A {\n  rpc Do(AMessage) returns (AMessage);\n  rpc Gone(AMessage) returns (AMessage);\n}\n",
	"old/c.proto":       rig.ServiceProto("C"),
	"hint/h.proto":      "syntax = \"proto2\";\nmessage M { required string a = 1; }\n",
	"alike/a.proto":     "syntax = \"proto3\";\npackage p;\nmessage M {}\nservice A { rpc Do(M) returns (M); }\n",
	"alike/b.proto":     "syntax = \"proto3\";\npackage p;\nmessage M {}\nservice B { rpc Do(M) returns (M); }\n",
	"rules/a.proto":     rig.ServiceProto("A"),
	"rules/good":        "http: {rules: [{selector: p.A.Do, get: '/{text}'}]}",
	"rules/bad":         "http:\n  rules:\n  - selector: p.A.Do\n    get: /{txt}\n  - selector: p.A.Du\n    get: /\n",
	"ruled/a.proto":     rig.ServiceProto("A"),
	"ruled/x.http.yaml": "http: {rules: [{selector: p.A.Do, gett: /}]}",
	"empty/notes":       "",
}

// TestCheckStatus checks what makes a check fail, and how.
func TestCheckStatus(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, checked)
	for name, test := range map[string]struct {
		args   string // @ stands for the folder
		status int
		out    []string
		log    string
	}{
		"good":               {"@good", 0, []string{"good: 2 files, 2 services, 3 methods\n"}, ""},
		"one file":           {"@good/a.proto", 0, []string{"good: 1 file, 1 service, 1 method\n"}, ""},
		"only hints":         {"--strict @hint", 0, []string{"good: 1 file, 0 services, 0 methods\n"}, ""},
		"warnings":           {"@good @again", 0, []string{"again/a.proto", "0 errors, 1 warning\n", "good: 2 files"}, ""},
		"names in two files": {"@alike", 0, []string{"p.M is also declared in", "alike/b.proto:3:9", "  --> alike/a.proto:3:9", "0 errors, 1 warning\n", "good: 2 files"}, ""},
		"strict":             {"--strict @good @again", 1, []string{"again/a.proto", "0 errors, 1 warning\n"}, "the check found 1 warning\n"},
		"errors":             {"@broken", 1, []string{"broken/a.proto:4:3", "broken/b.proto:5:14", "2 errors, 0 warnings\n"}, "the check found 2 errors\n"},
		"handlers required":  {"--require-handlers @alike", 1, []string{"alike/a.proto:4:17", "no handler answers method p.A/Do", "no handler answers method p.B/Do", "2 errors, 1 warning\n"}, "the check found 2 errors\n"},
		"unfit handlers":     {"--examples @unfit", 1, []string{"unfit/a.proto:5:7", "tutorial.Greeter/SayHello does not fit its handler", "1 error, "}, "the check found 1 error\n"},
		"no handlers":        {"@unfit", 0, []string{"good: 1 file, 1 service, 1 method\n"}, ""},
		"good HTTP rules":    {"--strict --http-rules @rules/good @rules/a.proto", 0, []string{"good: 1 file"}, ""},
		"bad HTTP rules":     {"--http-rules @rules/bad @rules", 1, []string{"--> rules/bad:4:10", `field "txt" (did you mean "text"?)`, "1 error, 0 warnings\n"}, "the check found 1 error\n"},
		"HTTP rules beside":  {"@ruled", 1, []string{"--> ruled/x.http.yaml:1:35", `no key "gett" (did you mean "get"?)`}, "the check found 1 error\n"},
		"breaking":           {"--against @old @good", 1, []string{"[RPC_NO_DELETE]", "4 breaking changes\n"}, "the check found 4 breaking changes\n"},
		"nothing breaks":     {"--against @good @good", 0, []string{"good: 2 files"}, ""},
		"several old ones":   {"--against @good --against @broken/c.proto @good @broken/c.proto", 0, []string{"good: 3 files"}, ""},
		"broken old":         {"--against @broken @good", 1, []string{"broken/a.proto:4:3", "p.Good was removed", "1 breaking change\n"}, "the check found 2 errors, 1 breaking change\n"},
		"broken, breaking":   {"--against @old @broken", 1, []string{"broken/a.proto:4:3", "2 errors", "service p.C was removed"}, "2 errors, 1 breaking change\n"},
		"no path":            {"", 2, nil, "PATH"},
		"no such format":     {"--format xml @good", 2, nil, "xml"},
		"no such flag":       {"--what @good", 2, nil, "--what"},
		"no such path":       {"@nowhere", 1, nil, "nowhere"},
		"no such old path":   {"--against @nowhere @good", 1, nil, "nowhere"},
		"nothing to check":   {"@empty", 1, nil, "no .proto file"},
		"nothing to compare": {"--against @empty @good", 1, nil, "no .proto file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := strings.Fields(strings.ReplaceAll(test.args, "@", dir+string(filepath.Separator)))
			out, log, status := check(t, dir, args...)
			if status != test.status {
				t.Errorf("exit status %d, want %d", status, test.status)
			}
			rig.WantText(t, out, test.out...)
			rig.WantText(t, log, test.log)
			if test.log == "" && log != "" {
				t.Errorf("it says %s", log)
			}
			if good := strings.Contains(out, "good: "); good != (status == 0) {
				t.Errorf("it prints %s", out)
			}
		})
	}
}

// TestCheckText compares the whole report for people.
func TestCheckText(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, checked)
	out, _, _ := check(t, dir, "--against", filepath.Join(dir, "old"), filepath.Join(dir, "good"))
	const want = `error: service p.C was removed [PACKAGE_SERVICE_NO_DELETE]
  was old/c.proto:4:9

error: field 2 (gone) of p.AMessage was removed without reserving its name [FIELD_NO_DELETE_UNLESS_NAME_RESERVED]
  --> good/a.proto:3:9
  was old/a.proto:3:44

error: field 2 (gone) of p.AMessage was removed without reserving its number [FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED]
  --> good/a.proto:3:9
  was old/a.proto:3:44

error: method p.A.Gone was removed [RPC_NO_DELETE]
  --> good/a.proto:4:9
  was old/a.proto:6:7

4 breaking changes
`
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCheckUnfit wants each mismatch of a handler on a line of its own, in every
// format.
func TestCheckUnfit(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{
		"a.proto": "syntax = \"proto2\";\npackage tutorial;\nmessage Hello { required int32 name = 1; required int32 message = 2; }\nservice Greeter {\n  rpc SayHello(Hello) returns (Hello);\n}\n",
	})
	registered := regexp.MustCompile(`registered as\s+\S+ at\s+\S*handlers/examples/examples\.go:\d+`)
	hint := regexp.MustCompile(`(?m)^{"severity":"hint".*\n`)
	for format, want := range map[string]string{
		"text": `error: method tutorial.Greeter/SayHello does not fit its handler, HERE
  --> a.proto:5:7
   |
 5 |   rpc SayHello(Hello) returns (Hello);
   |       ^^^^^^^^
  greetRequest.Name (string) cannot hold tutorial.Hello.name (int32): make it int32, *int32, int64 or int
  greetReply.Message (string) cannot hold tutorial.Hello.message (int32): make it int32, *int32, int64 or int

1 error, 0 warnings
`,
		"json": `{"severity":"error","path":"a.proto","line":5,"column":7,"message":"method tutorial.Greeter/SayHello does not fit its handler, ` +
			`HERE\n` +
			`greetRequest.Name (string) cannot hold tutorial.Hello.name (int32): make it int32, *int32, int64 or int\n` +
			`greetReply.Message (string) cannot hold tutorial.Hello.message (int32): make it int32, *int32, int64 or int"}
`,
		"github": `::error file=a.proto,line=5,col=7,title=dyngate check::method tutorial.Greeter/SayHello does not fit its handler, ` +
			`HERE%0A` +
			`greetRequest.Name (string) cannot hold tutorial.Hello.name (int32): make it int32, *int32, int64 or int%0A` +
			`greetReply.Message (string) cannot hold tutorial.Hello.message (int32): make it int32, *int32, int64 or int
`,
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			out, _, _ := check(t, dir, "--examples", "--format", format, dir)
			if diff := cmp.Diff(want, hint.ReplaceAllString(registered.ReplaceAllString(out, "HERE"), "")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestCheckJSON compares a report with every kind of finding, one on each line.
func TestCheckJSON(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, checked)
	path := func(name string) string { return filepath.Join(dir, name) }
	out, _, status := check(t, dir, "--format", "json", "--against", path("old"), path("good"), path("again"), path("hint"), path("broken/c.proto"))
	const want = `{"severity":"warning","path":"again/a.proto","line":0,"column":0,"message":"\"a.proto\" is also in an earlier source; good/a.proto is used, this file is not"}
{"severity":"hint","path":"hint/h.proto","line":0,"column":0,"message":"missing ` + "`package`" + ` declaration"}
{"severity":"hint","path":"hint/h.proto","line":2,"column":13,"message":"required fields are deprecated"}
{"severity":"error","path":"broken/c.proto","line":0,"column":0,"message":"service p.C was removed","rule":"PACKAGE_SERVICE_NO_DELETE","against":{"path":"old/c.proto","line":4,"column":9}}
{"severity":"error","path":"good/a.proto","line":3,"column":9,"message":"field 2 (gone) of p.AMessage was removed without reserving its name","rule":"FIELD_NO_DELETE_UNLESS_NAME_RESERVED","against":{"path":"old/a.proto","line":3,"column":44}}
{"severity":"error","path":"good/a.proto","line":3,"column":9,"message":"field 2 (gone) of p.AMessage was removed without reserving its number","rule":"FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED","against":{"path":"old/a.proto","line":3,"column":44}}
{"severity":"error","path":"good/a.proto","line":4,"column":9,"message":"method p.A.Gone was removed","rule":"RPC_NO_DELETE","against":{"path":"old/a.proto","line":6,"column":7}}
`
	if diff := cmp.Diff(want, out); diff != "" || status != 1 {
		t.Errorf("exit status %d (-want +got):\n%s", status, diff)
	}
	// Example handlers that no method matches are no mistake, also if a name is similar.
	if out, _, status := check(t, dir, "--format", "json", "--examples", path("good")); out != "" || status != 0 {
		t.Errorf("nothing is wrong, but it prints %q and exits with status %d", out, status)
	}
}

// TestCheckGitHub compares the commands for a workflow: special characters are
// escaped, and hints are left out.
func TestCheckGitHub(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{
		"new,100%:\n/a.proto": rig.ServiceProto("A"),
		"old/a.proto":         strings.ReplaceAll(rig.ServiceProto("A"), "string", "bytes"),
		"old/b.proto":         rig.ServiceProto("B"),
		"more/a.proto":        "not read",
		"more/c.proto":        "syntax = \"proto3\";\nimport \"50%.proto\";\nmessage M {}\n",
		"more/hint.proto":     "syntax = \"proto2\";\nmessage M { required string a = 1; }\n",
	})
	path := func(name string) string { return filepath.Join(dir, name) }
	out, _, status := check(t, dir, "--format", "github", "--against", path("old"), path("new,100%:\n"), path("more"))
	const want = `::error file=more/c.proto,line=2,col=1,title=dyngate check::could not open imported file: "50%25.proto" does not exist; searched new,100%25:%0A, more, the files that ship with dyngate
::warning file=more/a.proto,title=dyngate check::"a.proto" is also in an earlier source; new,100%25:%0A/a.proto is used, this file is not
::error title=PACKAGE_SERVICE_NO_DELETE::service p.B was removed (was old/b.proto:4:9)
::error file=new%2C100%25%3A%0A/a.proto,line=3,col=27,title=FIELD_WIRE_JSON_COMPATIBLE_TYPE::the type of field 1 (text) of p.AMessage changed from bytes to string (was old/a.proto:3:26)
`
	if diff := cmp.Diff(want, out); diff != "" || status != 1 {
		t.Errorf("exit status %d (-want +got):\n%s", status, diff)
	}
}

// TestCheckSets compares a descriptor set with a file.
func TestCheckSets(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, checked)
	set, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{{
		Name: proto.String("a.proto"), Package: proto.String("p"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{
			Name: proto.String("AMessage"),
			Field: []*descriptorpb.FieldDescriptorProto{{
				Name: proto.String("text"), Number: proto.Int32(1), JsonName: proto.String("text"),
				Type: descriptorpb.FieldDescriptorProto_TYPE_BYTES.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
			}},
		}},
	}}})
	rig.Must(t, err)
	rig.Write(t, filepath.Join(dir, "set.binpb"), string(set))
	out, _, status := check(t, dir, "--against", filepath.Join(dir, "set.binpb"), filepath.Join(dir, "good/a.proto"))
	const want = `error: the type of field 1 (text) of p.AMessage changed from bytes to string [FIELD_WIRE_JSON_COMPATIBLE_TYPE]
  --> good/a.proto:3:27
  was set.binpb!a.proto

1 breaking change
`
	if diff := cmp.Diff(want, out); diff != "" || status != 1 {
		t.Errorf("exit status %d (-want +got):\n%s", status, diff)
	}
}
