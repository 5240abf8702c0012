package httprule_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/httprule"
)

const goodFile = `type: google.api.Service
config_version: 3
name: library.example.com
apis:
- name: lib.Library
documentation: {summary: A library.}
http:
  fully_decode_reserved_expansion: true
  rules:
  - selector: lib.Library.Get
    get: /v1/{name=shelves/*}
    additional_bindings:
    - post: /v2/{name}
      body: "*"
    - custom:
        kind: HEAD
        path: /v3
      response_body: books
  - selector: lib.Library.Plain
    delete: /v1/{nam}
  success:
  - selector: lib.Library.Get
    code: 201
`

func TestParseFile(t *testing.T) {
	f, problems := httprule.ParseFile("lib.http.yaml", goodFile)
	if len(problems) > 0 || len(f.Rules) != 2 {
		t.Fatal(f, problems)
	}
	bindings, problems := httprule.BindingsIn(f.Rules[0], method(t, "lib.Library.Get"), f.Rules[0].HTTP)
	var got []string
	for _, b := range bindings {
		got = append(got, fmt.Sprintf("%s %s %v %s", b.Verb, b.Template, b.Body.Whole, b.Position))
	}
	want := []string{
		"GET /v1/{name=shelves/*} false lib.http.yaml:10:5",
		"POST /v2/{name} true lib.http.yaml:13:7",
		"HEAD /v3 false lib.http.yaml:15:7",
	}
	if len(problems) > 0 || !slices.Equal(got, want) {
		t.Errorf("%v\n%s", problems, strings.Join(got, "\n"))
	}
	_, problems = httprule.BindingsIn(f.Rules[1], method(t, "lib.Library.Plain"), f.Rules[1].HTTP)
	if len(problems) != 1 || problems[0].String() != "lib.http.yaml:20:13" {
		t.Errorf("got %v", problems)
	}
}

func TestConfig(t *testing.T) {
	first, _ := httprule.ParseFile("1", goodFile)
	second, problems := httprule.ParseFile("2", `{"type": "google.api.Service", "configVersion": 3, "http": {
		"rules": [{"selector": "lib.Library.Get", "put": "/1"}, {"selector": "lib.Library.Get", "put": "/2", "responseBody": "books", "additionalBindings": []}],
		"success": [{"selector": "lib.Library.Get", "code": 204}]}}`)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	c := httprule.NewConfig([]*httprule.File{first, second})
	if r := c.Rule("lib.Library.Get"); r.HTTP.GetPut() != "/2" || r.HTTP.GetResponseBody() != "books" || c.Success("lib.Library.Get").Code != 204 {
		t.Errorf("%v", r)
	}
	if c.Rule("lib.Library.None") != nil || c.Success("lib.Library.None") != nil || c.Empty() || !(*httprule.Config)(nil).Empty() {
		t.Error("methods that no file selects")
	}
	var got []string
	c.Selectors(func(m protoreflect.FullName, at diag.Position, isRule bool) {
		got = append(got, fmt.Sprint(m, at, isRule))
	})
	slices.Sort(got)
	if want := []string{"lib.Library.Get2:3:15 false", "lib.Library.Get2:2:72 true", "lib.Library.Plain1:19:15 true"}; len(got) != len(want) {
		t.Errorf("got %q", got)
	}
}

func TestParseFileProblems(t *testing.T) {
	head := "type: google.api.Service\nconfig_version: 3\nhttp:\n"
	for text, want := range map[string]string{
		"":                                     "f: the file is empty",
		"# nothing\n":                          "f: the file is empty",
		"http: [":                              "f:1: the file is not valid YAML: did not find expected node content",
		head + "  rules:\n  - body: *\n":       "f:5: the file is not valid YAML: did not find expected alphabetic or numeric character\na star must be quoted: body: \"*\"",
		"- a":                                  "f:1:1: a service configuration must be a mapping, key: value",
		"http: 1":                              "f:1:7: http must be a mapping, key: value",
		"type: google.api.Servic":              `f:1:7: type is "google.api.Servic": only google.api.Service has HTTP rules`,
		"config_version: 2":                    `f:1:17: config_version is "2": it must be 3`,
		head + "  rule: []":                    `f:4:3: http has no key "rule" (did you mean "rules"?)`,
		head + "  rules: {}":                   "f:4:10: http.rules must be a list",
		head + "  rules:\n  - get: /":          "f:5:5: the entry lacks selector: pkg.Service.Method",
		head + "  rules:\n  - selector: S":     `f:5:15: selector "S" is not the full name of a method: write pkg.Service.Method`,
		head + "  rules:\n  - selector: p.S.*": `f:5:15: selector "p.S.*": an HTTP rule is for one method, so write its full name, pkg.Service.Method`,
		head + "  rules:\n  - {selector: p.S.M, gett: /}":           `f:5:23: an HTTP rule has no key "gett" (did you mean "get"?)`,
		head + "  rules:\n  - {selector: p.S.M, get: /, get: /}":    `f:5:31: a rule has one path: put get into an entry of additional_bindings, because the rule has get already`,
		head + "  rules:\n  - {selector: p.S.M, get: /, put: /}":    `f:5:31: a rule has one path: put put into an entry of additional_bindings, because the rule has get already`,
		head + "  rules:\n  - {selector: p.S.M, get: [1]}":          "f:5:28: get must be a text",
		head + "  rules:\n  - {selector: p.S.M, get: }":             "f:5:28: get must be a text",
		head + "  rules:\n  - {selector: p.S.M, custom: {king: X}}": `f:5:32: custom has no key "king" (did you mean "kind"?)`,
		head + "  rules: &a []\n  success: *a":                      "f:5:12: http.success must be a list; aliases are not supported",
		head + "  success:\n  - {selector: p.S.M, code: 203}":       `f:5:29: code is "203": use 200, 201, 202 or 204`,
		head + "  success:\n  - {selector: p.S.M}":                  "f:5:5: the entry lacks code: 201",
		head + "  success:\n  - {code: 201}":                        "f:5:5: the entry lacks selector: pkg.Service.Method",
		head + "  fully_decode_reserved_expansion: maybe":           `f:4:36: fully_decode_reserved_expansion is "maybe": write true or false`,
		head + "  rules: []\n---\nhttp: {}":                         "f:1:1: the file has several YAML documents: put each into a file of its own",
		strings.Repeat("[", 100_000):                                "f: the file is not valid YAML: exceeded max depth of 10000",
	} {
		f, problems := httprule.ParseFile("f", text)
		var got []string
		for _, p := range problems {
			got = append(got, p.String()+": "+p.Message)
		}
		if f != nil || !slices.Contains(got, want) {
			t.Errorf("%.200q:\ngot  %q\nwant %q", text, got, want)
		}
	}
	if f, problems := httprule.ParseFile("f", "type: google.api.Service"); f == nil || len(problems) != 1 || problems[0].Severity != diag.Warning {
		t.Errorf("a file without rules: %v", problems)
	}
	if _, problems := httprule.ParseFile("f", head+"  rules:\n"+strings.Repeat("  - {}\n", 5000)); len(problems) != 100 {
		t.Errorf("%d problems", len(problems))
	}
}

// FuzzParseFile checks that no file makes the parser panic, and that rules of good files
// can be checked.
func FuzzParseFile(f *testing.F) {
	f.Add(goodFile)
	f.Add("http: {rules: [{selector: a.B.C, get: /, additional_bindings: [{additional_bindings: [{}]}]}]}")
	f.Fuzz(func(t *testing.T, text string) {
		file, problems := httprule.ParseFile("f", text)
		if (file == nil) != diag.HasErrors(problems) {
			t.Fatal(file, problems)
		}
		if file != nil {
			for _, r := range file.Rules {
				bindings, _ := httprule.BindingsIn(r, library.Services()[0].Desc.Methods().Get(0), r.HTTP)
				httprule.NewTree(bindings)
			}
		}
	})
}
