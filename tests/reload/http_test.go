package reload

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// ruled is rig.ServiceProto with an HTTP rule for the method Do.
func ruled(name, rule string) string {
	text := strings.Replace(rig.ServiceProto(name), "package p;\n", "package p;\nimport \"google/api/annotations.proto\";\n", 1)
	return strings.Replace(text, "Message);\n", "Message) { option (google.api.http) = { "+rule+" }; }\n", 1)
}

// wantPaths waits until the services have these HTTP paths: A=GET /a.
func (w watched) wantPaths(want ...string) {
	w.t.Helper()
	rig.Eventually(w.t, fmt.Sprint(want), func() bool { return slices.Equal(pathsOf(w.Services()), want) })
}

func pathsOf(services []dynserver.ServiceInfo) (paths []string) {
	for _, s := range services {
		for _, path := range s.Methods[0].HTTP {
			paths = append(paths, strings.TrimPrefix(s.Name, "p.")+"="+path)
		}
	}
	return paths
}

// TestReloadAnnotations edits google.api.http annotations: a broken one keeps the last good
// version of its service.
func TestReloadAnnotations(t *testing.T) {
	eachWatch(t, func(t *testing.T, start func(*testing.T, string) watched) {
		w := start(t, rig.Folder(t, map[string]string{"a.proto": ruled("A", `get: "/a/{text}"`), "b.proto": rig.ServiceProto("B")}))
		w.wantPaths("A=GET /a/{text}")
		rig.Replace(t, w.path("a.proto"), ruled("A", `get: "/b/{txt}"`))
		w.want("A* B")
		rig.WantText(t, w.stale("A"), `path variable {txt}: message p.AMessage has no field "txt" (did you mean "text"?)`, w.path("a.proto")+":6:")
		w.wantPaths("A=GET /a/{text}")
		rig.Replace(t, w.path("a.proto"), ruled("A", `get: "/b/{text}" additional_bindings { put: "/c" body: "*" }`))
		w.want("A B")
		w.wantPaths("A=GET /b/{text}", "A=PUT /c")
	})
}

// TestReloadTies adds a method with the path of another one: the older one keeps it.
func TestReloadTies(t *testing.T) {
	t.Parallel()
	w := startWatched(t, rig.Folder(t, map[string]string{"b.proto": ruled("B", `get: "/x/{text}"`)}), 0)
	rig.Write(t, w.path("a.proto"), ruled("A", `get: "/x/{text=*}" additional_bindings { get: "/a" }`))
	w.want("A B")
	w.wantPaths("A=GET /a", "B=GET /x/{text}")
	report, err := w.Reload(rig.Context(t))
	rig.Must(t, err)
	rig.WantText(t, diag.Render(report.Diagnostics), "methods p.A.Do and p.B.Do have the same HTTP path",
		w.path("a.proto")+":6:", w.path("b.proto")+":6:", "both match /x/x")
	rig.Replace(t, w.path("b.proto"), ruled("B", `get: "/y/{text}"`))
	w.wantPaths("A=GET /a", "A=GET /x/{text=*}", "B=GET /y/{text}")

	_, err = rig.New(t, dynserver.Config{Sources: []dynserver.Source{dynserver.Path(rig.Folder(t, map[string]string{
		"a.proto": ruled("A", `get: "/x"`), "b.proto": ruled("B", `get: "/x"`),
	}))}})
	rig.WantText(t, fmt.Sprint(err), "methods p.B.Do and p.A.Do have the same HTTP path: GET /x here, and /x at ")
}

// TestReloadRulesFiles edits service configuration files, in the folder and elsewhere.
func TestReloadRulesFiles(t *testing.T) {
	t.Parallel()
	explicit := filepath.Join(t.TempDir(), "rules.yaml")
	rule := func(service, path string) string {
		return "type: google.api.Service\nconfig_version: 3\nhttp:\n  rules:\n  - selector: p." + service + ".Do\n    get: " + path + "\n"
	}
	rig.Write(t, explicit, rule("B", "/b"))
	dir := rig.Folder(t, map[string]string{
		"a.proto": ruled("A", `get: "/a"`), "b.proto": rig.ServiceProto("B"), "sub/x.http.yaml": rule("A", "/x"), ".hidden.http.yaml": "{",
	})
	w := startWatchedWith(t, dir, func(c *dynserver.Config) { c.HTTPRules = []string{explicit} })
	w.want("A B")
	w.wantPaths("A=GET /x", "B=GET /b")

	rig.Replace(t, w.path("sub/x.http.yaml"), rule("A", "/y/{text}"))
	w.wantPaths("A=GET /y/{text}", "B=GET /b")
	rig.Write(t, explicit, rule("A", "/z"))
	w.wantPaths("A=GET /z")

	diagnostics := func() string {
		report, err := w.Reload(rig.Context(t))
		rig.Must(t, err)
		return diag.Render(report.Diagnostics)
	}
	for _, broken := range []string{"", "http: [", "http: {rules: [{selector: p.A.Do, gett: /}]}"} {
		rig.Write(t, explicit, broken)
		rig.Eventually(t, "an error", func() bool { return strings.Contains(diagnostics(), "--> "+explicit) })
		w.wantPaths("A=GET /z")
	}
	rig.Must(t, os.Remove(explicit))
	rig.WantText(t, diagnostics(), "the HTTP rules cannot be read: ")
	w.wantPaths("A=GET /z")
	rig.Write(t, explicit, rule("B", "/w")+"  - selector: p.B.Du\n    get: /v\n  - selector: p.C.Do\n    get: /v\n"+
		"  success: [{selector: p.A.Do, code: 201}, {selector: p.B.Do, code: 204}]\n")
	w.wantPaths("A=GET /y/{text}", "B=GET /w")
	rig.WantText(t, diagnostics(), `service p.B has no method "Du" (did you mean "Do"?)`, `selector "p.C.Do": there is no service p.C`, explicit+":7:15")

	rig.Must(t, os.Remove(w.path("sub/x.http.yaml")))
	w.wantPaths("A=GET /a", "B=GET /w")
}
