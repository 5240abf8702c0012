package dispatch

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/httprule"
)

// annotated is a service whose method Call has a rule.
func annotated(name, rule string) string {
	text := service(name, "")
	text = strings.Replace(text, "message", `import "google/api/annotations.proto"; import "google/api/client.proto"; message`, 1)
	return strings.Replace(text, "Msg);", "Msg) { option (google.api.http) = {"+rule+"}; }", 1)
}

// paths lists the bindings of a generation.
func paths(g *Generation) string {
	var out []string
	for _, b := range g.HTTP().Bindings() {
		out = append(out, strings.TrimPrefix(b.Path(), "/p.")+"="+b.Verb+b.Template.String())
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func (b *bench) expectPaths(want, services string, problems ...string) {
	b.t.Helper()
	if got := paths(b.current); got != want {
		b.t.Errorf("paths %q, want %q", got, want)
	}
	if got := state(b.current); got != services {
		b.t.Errorf("services %q, want %q", got, services)
	}
	text := ""
	for _, d := range b.diags {
		if d.Severity != diag.Hint {
			text += d.Error() + "\n" + d.Text + "\n"
		}
	}
	for _, p := range problems {
		if !strings.Contains(text, p) {
			b.t.Errorf("the diagnostics lack %q:\n%s", p, text)
		}
	}
	if len(problems) == 0 && text != "" {
		b.t.Errorf("unexpected diagnostics:\n%s", text)
	}
}

func TestBrokenRulesKeepTheLastGoodVersion(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	first := b.reload(map[string]string{"a.proto": annotated("A", `get: "/a/{name}"`), "b.proto": service("B", "")})
	b.expectPaths("A/Call=GET/a/{name}", "p.A p.B")

	b.reload(map[string]string{"a.proto": annotated("A", `get: "/b/{nam}"`)})
	b.expectPaths("A/Call=GET/a/{name}", "p.A* p.B",
		`the HTTP rule of p.A.Call: path variable {nam}: message p.AMsg has no field "nam" (did you mean "name"?)`, `get: "/b/{nam}"`, "a.proto:1:")
	if b.current.HTTP() != first.HTTP() {
		t.Error("the tree was made anew")
	}
	b.reload(map[string]string{"a.proto": annotated("A", `get: "/c/{name"`)})
	b.expectPaths("A/Call=GET/a/{name}", "p.A* p.B", "the path is invalid", "       ^")
	b.reload(map[string]string{"a.proto": annotated("A", `get: "/d/{name}"`)})
	b.expectPaths("A/Call=GET/d/{name}", "p.A p.B")
	b.reload(map[string]string{"a.proto": service("A", "")})
	b.expectPaths("", "p.A p.B")
}

func TestUnchangedServicesKeepTheirBindings(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	first := b.reload(map[string]string{"a.proto": annotated("A", `get: "/a"`), "b.proto": annotated("B", `get: "/b"`)})
	second := b.reload(map[string]string{"b.proto": annotated("B", `get: "/c"`)})
	old, _ := first.HTTP().Find("GET", "/a", nil)
	if now, _ := second.HTTP().Find("GET", "/a", nil); now == nil || now != old {
		t.Errorf("%p became %p", old, now)
	}
	if third := b.reload(map[string]string{"c.proto": service("C", "")}); third.HTTP() != second.HTTP() {
		t.Error("the tree was made anew")
	}
}

func TestTies(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	b.reload(map[string]string{"b.proto": annotated("B", `get: "/x/{name}" additional_bindings { get: "/b" }`)})
	b.reload(map[string]string{"a.proto": annotated("A", `get: "/x/{name=*}" additional_bindings { get: "/a" }`)})
	b.expectPaths("A/Call=GET/a B/Call=GET/b B/Call=GET/x/{name}", "p.A p.B",
		"methods p.A.Call and p.B.Call have the same HTTP path: GET /x/{name=*} here, and /x/{name} at ", "b.proto:1:", "a.proto:1:",
		"both match /x/x, which is answered by the latter")
	b.reload(map[string]string{"c.proto": service("C", "")})
	b.expectPaths("A/Call=GET/a B/Call=GET/b B/Call=GET/x/{name}", "p.A p.B p.C", "have the same HTTP path")
	b.reload(map[string]string{"b.proto": annotated("B", `get: "/x/{name}"`)})
	b.expectPaths("A/Call=GET/a B/Call=GET/x/{name}", "p.A p.B p.C", "have the same HTTP path")
	b.reload(map[string]string{"b.proto": annotated("B", `get: "/y/{name}"`)})
	b.expectPaths("A/Call=GET/a A/Call=GET/x/{name=*} B/Call=GET/y/{name}", "p.A p.B p.C")

	b.reload(map[string]string{"c.proto": annotated("C", `get: "/c" additional_bindings { get: "/c" } additional_bindings { get: "/d" body: "*" } additional_bindings { get: "/d" }`)})
	b.expectPaths("A/Call=GET/a A/Call=GET/x/{name=*} B/Call=GET/y/{name} C/Call=GET/c C/Call=GET/d", "p.A p.B p.C",
		"method p.C.Call has the same HTTP path twice")
}

// TestRenamedServiceTakesItsPaths renames a service in its file. The old name stays for as long
// as the file may be half written, but not its paths.
func TestRenamedServiceTakesItsPaths(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	b.reload(map[string]string{"a.proto": annotated("A", `get: "/x" additional_bindings { get: "/y" }`)})
	b.while(map[string]string{"a.proto": annotated("B", `get: "/x"`)}, time.Hour)
	b.expectPaths("A/Call=GET/y B/Call=GET/x", "p.A* p.B")
	b.reload(nil)
	b.expectPaths("B/Call=GET/x", "p.B")
}

// TestTiesOfDifferentHosts has services that nobody meant to be served together.
func TestTiesOfDifferentHosts(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	for _, name := range []string{"A", "B"} {
		text := strings.Replace(annotated(name, `get: "/x"`), "service "+name+" {", "service "+name+` { option (google.api.default_host) = "`+name+`.test";`, 1)
		b.reload(map[string]string{name + ".proto": text})
	}
	b.expectPaths("A/Call=GET/x", "p.A p.B", "services p.B and p.A, which are for different hosts, share HTTP paths; p.A answers:\n", "GET /x, at ")
	if diag.HasErrors(b.diags) {
		t.Errorf("errors: %v", b.diags)
	}
}

// TestRulesWithDefaultPaths has rules with paths at which other methods answer anyway.
func TestRulesWithDefaultPaths(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	b.reload(map[string]string{
		"a.proto": service("A", ""),
		"b.proto": annotated("B", `post: "/p.A/Call" body: "*" additional_bindings { get: "/p.A/Call" }
			additional_bindings { post: "/{name}/Call" } additional_bindings { post: "/p.B/Call" body: "*" }`),
	})
	const bound = "B/Call=GET/p.A/Call B/Call=POST/p.B/Call B/Call=POST/{name}/Call"
	problem := []string{"the HTTP rule of p.B.Call is never used: method p.A.Call at ", "a.proto:1:", "always answers POST /p.A/Call", "b.proto:1:"}
	b.expectPaths(bound, "p.A p.B", problem...)
	if !diag.HasErrors(b.diags) {
		t.Error("no error")
	}
	b.reload(nil)
	b.expectPaths(bound, "p.A p.B", problem...)
	b.reload(map[string]string{"a.proto": ""})
	b.expectPaths("B/Call=GET/p.A/Call B/Call=POST/p.A/Call B/Call=POST/p.B/Call B/Call=POST/{name}/Call", "p.B")
	b.while(map[string]string{"a.proto": service("A", "")}, 0)
	b.expectPaths(bound, "p.A p.B", problem...)
	b.while(map[string]string{"a.proto": service("C", "")}, time.Hour) // A is leaving
	b.expectPaths(bound, "p.A* p.B p.C")
}

func TestRulesOfFilesReplaceAnnotations(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	config := func(text string) {
		t.Helper()
		f, problems := httprule.ParseFile("x.http.yaml", text)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		b.input.HTTP = httprule.NewConfig([]*httprule.File{f})
	}
	config("http: {rules: [{selector: p.A.Call, put: '/f/{name}'}], success: [{selector: p.A.Call, code: 202}, {selector: p.B.Call, code: 204}]}")
	first := b.reload(map[string]string{"a.proto": annotated("A", `get: "/a"`), "b.proto": annotated("B", `get: "/b"`)})
	b.expectPaths("A/Call=PUT/f/{name} B/Call=GET/b", "p.A p.B")
	for path, want := range map[string]int{"/f/x": 202, "/b": 204} {
		binding, _ := first.HTTP().Find(first.HTTP().Allow(path)[0], path, nil)
		if binding == nil || binding.Success != want {
			t.Errorf("%s: %+v", path, binding)
		}
	}
	if again := b.reload(nil); again.Service("p.A") != first.Service("p.A") {
		t.Error("a service that nothing changed was made anew")
	}
	config("http: {rules: [{selector: p.A.Call, put: '/f/{nam}'}]}")
	b.reload(nil)
	b.expectPaths("A/Call=PUT/f/{name} B/Call=GET/b", "p.A* p.B", "x.http.yaml:1:", `has no field "nam"`)
	b.input.HTTP = nil
	b.reload(nil)
	b.expectPaths("A/Call=GET/a B/Call=GET/b", "p.A p.B")
}
