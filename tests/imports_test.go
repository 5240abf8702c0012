package tests

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

const module = "github.com/dyngate/dyngate/"

// allowed says which packages of the project a package may import, besides the
// packages below itself. A trailing /* stands for everything below.
var allowed = map[string][]string{
	"dynclient/internal/httpconn":  {},
	"dynclient":                    {"handlers/diag", "internal/*"},
	"internal/schema":              {"handlers/diag", "internal/codec/dynamic", "internal/watch", "internal/codec/transcode", "internal/safetext"},
	"internal/watch":               {},
	"internal/certs":               {"internal/watch"},
	"internal/codec":               {"internal/typename"},
	"internal/codec/structs":       {"internal/codec/wellknown", "internal/codec/wire", "internal/nearest", "internal/typename"},
	"internal/codec/dynamic":       {"internal/codec/wire"},
	"internal/codec/wire":          {},
	"internal/codec/transcode":     {"internal/codec/wellknown", "internal/codec/wire", "internal/nearest", "internal/typename"},
	"internal/codec/wellknown":     {},
	"internal/openapi":             {"internal/codec/transcode", "internal/codec/wellknown", "internal/httprule", "internal/safetext", "internal/schema", "internal/yamltext"},
	"internal/describe":            {"internal/codec/dynamic", "internal/codec/wellknown", "internal/safetext"},
	"internal/jsonmsg":             {"internal/codec", "internal/codec/transcode"},
	"internal/jsonstream":          {},
	"internal/nearest":             {},
	"internal/render":              {"internal/codec", "internal/jsonmsg", "internal/nearest", "internal/safetext", "internal/yamltext"},
	"internal/callkey":             {},
	"internal/logattr":             {},
	"internal/reflection":          {"handlers/diag", "internal/schema"},
	"internal/pattern":             {},
	"internal/httprule":            {"handlers/diag", "internal/nearest"},
	"internal/safetext":            {},
	"internal/typename":            {},
	"internal/yamltext":            {"internal/safetext"},
	"internal/breaking":            {"handlers/diag", "internal/schema", "internal/typename"},
	"internal/schematest":          {"internal/schema"},
	"protos":                       {},
	"handlers":                     {"internal/callkey", "internal/codec", "internal/logattr", "internal/pattern"},
	"handlers/diag":                {"internal/safetext"},
	"handlers/examples":            {"handlers"},
	"dynserver/internal/dispatch":  {"handlers", "handlers/diag", "internal/*"},
	"dynserver/internal/grpcfront": {"handlers", "dynserver/internal/dispatch"},
	"dynserver/internal/httpcall":  {"handlers"},
	"dynserver/internal/webfront":  {"handlers", "dynserver/internal/dispatch", "dynserver/internal/httpcall", "internal/codec/transcode"},
	"dynserver/internal/framing":   {"internal/jsonstream"},
	"dynserver/internal/httpport":  {},
	"dynserver/internal/restfront": {"handlers", "dynserver/internal/dispatch", "dynserver/internal/framing", "dynserver/internal/httpcall", "internal/codec/transcode", "internal/httprule", "internal/jsonstream", "internal/nearest"},
	"dynserver/internal/load":      {"handlers", "handlers/diag", "dynserver/internal/dispatch", "internal/*"},
	"dynserver/internal/pages":     {"handlers", "dynserver/internal/dispatch", "internal/httprule", "internal/openapi", "internal/schema"},
	"dynserver/internal/discovery": {"handlers", "dynserver/internal/dispatch", "internal/schema"},
	"dynserver":                    {"handlers", "handlers/diag", "internal/*"},
	"cmd/dyngate":                  {"dynclient", "internal/certs", "internal/describe", "internal/jsonmsg", "internal/jsonstream", "internal/logattr", "internal/nearest", "internal/render", "internal/safetext", "internal/typename", "handlers", "handlers/diag", "handlers/examples", "dynserver", "protos"},
	"tests":                        {"dynclient", "dynserver", "handlers", "handlers/diag", "tests/internal/*"}, // every folder that has no rule
	"tests/internal/rig":           {"dynserver", "handlers"},
	"tests/internal/lab":           {"dynserver", "handlers", "tests/internal/rig"},
	"tests/internal/interop":       {"handlers"},
	"tests/bench":                  {"handlers", "dynserver", "dynclient", "internal/codec", "internal/codec/dynamic"},
}

// TestImportsRunOneWay keeps the arrows of docs/architecture.md.
func TestImportsRunOneWay(t *testing.T) {
	rig.DependOn(t, "cmd", "dynclient", "dynserver", "handlers", "internal", "protos", "tests")
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for list := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		if err := list.Decode(&pkg); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(pkg.ImportPath, module)
		checkImports(t, name, pkg.Imports)
		if name == "tests" || below(name, "tests") { // they see only what users see
			checkImports(t, name, slices.Concat(pkg.TestImports, pkg.XTestImports))
		}
	}
}

func checkImports(t *testing.T, pkg string, imports []string) {
	rule := pkg
	for allowed[rule] == nil && strings.Contains(rule, "/") {
		rule = rule[:strings.LastIndexByte(rule, '/')]
	}
	may, known := allowed[rule]
	if !known {
		t.Errorf("package %s is in no rule of this test", pkg)
	}
	for _, imported := range imports {
		to, ours := strings.CutPrefix(imported, module)
		if !ours || below(to, rule) || slices.ContainsFunc(may, func(m string) bool { return matches(to, m) }) {
			continue
		}
		t.Errorf("%s must not import %s", pkg, to)
	}
}

func matches(pkg, pattern string) bool {
	if dir, ok := strings.CutSuffix(pattern, "/*"); ok {
		return below(pkg, dir)
	}
	return pkg == pattern
}

func below(pkg, dir string) bool { return strings.HasPrefix(pkg, dir+"/") }
