package tests

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
)

// broken is a folder with every kind of mistake in files of their own, and one
// good file.
var broken = map[string]string{
	"good.proto":        serviceProto("Good"),
	"syntax.proto":      "syntax = \"proto3\";\nmessage M {\n  string text 1;\n}\n",
	"type.proto":        "syntax = \"proto3\";\npackage t;\nmessage M {\n  Missing text = 1;\n}\n",
	"number.proto":      "syntax = \"proto3\";\npackage n;\nmessage M {\n  string a = 1;\n  string b = 1;\n}\n",
	"import.proto":      "syntax = \"proto3\";\npackage i;\nimport \"no/such.proto\";\n",
	"user.proto":        "syntax = \"proto3\";\npackage u;\nimport \"type.proto\";\nservice User { rpc Do(t.M) returns (t.M); }\n",
	"twice1.proto":      serviceProto("Twice"),
	"twice2.proto":      "// moved down\n" + serviceProto("Twice"),
	"cycle1.proto":      "syntax = \"proto3\";\nimport \"cycle2.proto\";\n",
	"cycle2.proto":      "syntax = \"proto3\";\nimport \"cycle1.proto\";\n",
	"utf8.proto":        "syntax = \"proto3\";\n// \xff\n",
	"deeper/enum.proto": "syntax = \"proto3\";\npackage e;\nenum E {\n  A = 1;\n}\n",
}

// TestStartStrict checks that the first start fails, with all errors and their
// places.
func TestStartStrict(t *testing.T) {
	t.Parallel()
	dir := folder(t, broken)
	said := refuse(t, dir)
	for _, place := range []string{
		"syntax.proto:3:15", "type.proto:4:3", "number.proto:5:", "import.proto:3:", "twice1.proto", "twice2.proto:5:", "deeper/enum.proto:4:", "utf8.proto", "cycle",
	} {
		contains(t, said, filepath.Join(dir, place))
	}
	contains(t, said, "cannot start", "no/such.proto", "Missing", "Twice", "errors, ")
	if strings.Contains(said, "good.proto") {
		t.Error("the good file is mentioned")
	}
}

// TestStartLenient starts with what is good, says what is not, and picks up what
// is mended.
func TestStartLenient(t *testing.T) {
	t.Parallel()
	dir := folder(t, broken)
	p := serve(t, "--lenient", dir)
	contains(t, p.out.String(), "Serving 1 service:", "p.Good")
	contains(t, p.log.String(), filepath.Join(dir, "syntax.proto"), filepath.Join(dir, "number.proto")+":5:")
	conn := dial(t, p.addr())
	_, err := invoke(timeout(t), conn, "/p.Good/Do", nil)
	wantCode(t, err, codes.Unimplemented)
	contains(t, err.Error(), "no handler answers it")
	replace(t, filepath.Join(dir, "type.proto"), "syntax = \"proto3\";\npackage t;\nmessage M {}\n")
	eventually(t, "u.User", func() bool {
		_, err := invoke(timeout(t), conn, "/u.User/Do", nil)
		return strings.Contains(errText(err), "no handler answers it")
	})
}

// TestStartNothing checks sources that are not there, or are empty.
func TestStartNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	contains(t, refuse(t, filepath.Join(dir, "no-such")), "no-such")
	contains(t, refuse(t, "--features", filepath.Join(dir, "no-such.json")), "no-such.json")
	contains(t, refuseWith(t, 2, "--log-level", "loud"), "--log-level", "loud")
	contains(t, refuseWith(t, 2, "--log-format", "xml"), "--log-format", "xml")
	contains(t, refuseWith(t, 2, "--no-such-flag"), "no-such-flag")
	p := serve(t, dir)
	write(t, filepath.Join(dir, "a.proto"), serviceProto("A"))
	p.awaitLog("added: p.A")
}

// TestStartHandlers checks that New reports handlers that do not fit, all of
// them and with both sides, and what is wrong with the registry.
func TestStartHandlers(t *testing.T) {
	t.Parallel()
	config := protoConfig(t, labProto, func(reg *handlers.Registry) {
		reg.Handle("lab.Lab/Echo", handlers.ServerStream(labRepeats))
		reg.Handle("lab.Lab/Chat", handlers.Unary(labEchoes))
		reg.Handle("lab.Lab/Down", handlers.ServerStream(labRepeats))
	})
	_, err := newServer(t, config)
	var load *dynserver.LoadError
	if !errors.As(err, &load) || len(load.Diagnostics) != 2 {
		t.Fatalf("got %v", err)
	}
	contains(t, err.Error(), "test.proto:6:7", "test.proto:10:7", "lab.Lab/Echo", "lab.Lab/Chat", "use handlers.Unary", "use handlers.Bidi", "start_test.go:", "2 errors")

	config = protoConfig(t, labProto, func(reg *handlers.Registry) {
		registerLab(reg)
		registerLab(reg)
		reg.Handle("lab.*", handlers.Unary(labEchoes))
		reg.Handle("lab.Lab/Nobody", nil)
	})
	_, err = newServer(t, config)
	contains(t, fmt.Sprint(err), "registered twice", "lab_test.go:", `pattern "lab.*"`, "nil implementation")
}

// TestSighup reloads on SIGHUP, and only then, when it does not watch.
func TestSighup(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"a.proto": serviceProto("A")})
	p := serve(t, "--no-watch", dir)
	conn := dial(t, p.addr())
	write(t, filepath.Join(dir, "b.proto"), serviceProto("B"))
	_, err := invoke(timeout(t), conn, "/p.B/Do", nil)
	contains(t, errText(err), `unknown service "p.B"`)
	p.signal(syscall.SIGHUP)
	p.awaitLog("added: p.B")
	_, err = invoke(timeout(t), conn, "/p.B/Do", nil)
	contains(t, errText(err), "no handler answers it")
	write(t, filepath.Join(dir, "b.proto"), "broken")
	p.signal(syscall.SIGHUP)
	p.awaitLog("stale, served from their last good version: p.B", filepath.Join(dir, "b.proto")+":1:")
}

// TestStrictReload checks that --strict-reload takes all or nothing.
func TestStrictReload(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"a.proto": serviceProto("A"), "b.proto": serviceProto("B")})
	p := serve(t, "--strict-reload", "--no-watch", "--log-format", "json", dir)
	conn := dial(t, p.addr())
	known := func(service string) bool {
		_, err := invoke(timeout(t), conn, "/p."+service+"/Do", nil)
		wantCode(t, err, codes.Unimplemented)
		return !strings.Contains(status.Convert(err).Message(), "unknown service")
	}
	write(t, filepath.Join(dir, "a.proto"), serviceProto("A")+"broken")
	write(t, filepath.Join(dir, "c.proto"), serviceProto("C"))
	p.signal(syscall.SIGHUP)
	p.awaitLog(`"generation":1,"applied":false`, `"file":"`+filepath.Join(dir, "a.proto")+`","line":7,"column":1`)
	if !known("A") || !known("B") || known("C") {
		t.Error("a part of a broken reload was taken")
	}
	write(t, filepath.Join(dir, "a.proto"), serviceProto("A"))
	p.signal(syscall.SIGHUP)
	p.awaitLog(`"applied":true,"added":["p.C"]`)
	if !known("A") || !known("B") || !known("C") {
		t.Error("a good reload was not taken")
	}
}

// TestStrictReloadTells checks that a person is told what becomes of a reload
// that is held back, the first one included.
func TestStrictReloadTells(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"a.proto": serviceProto("A")})
	p := serve(t, "--strict-reload", dir)
	write(t, filepath.Join(dir, "a.proto"), serviceProto("A")+"broken")
	p.awaitLog("held back", filepath.Join(dir, "a.proto")+":7:1")
	write(t, filepath.Join(dir, "a.proto"), serviceProto("B"))
	p.awaitLog("added: p.B; removed: p.A")
}

// TestStartEmpty warns about a folder in which there is nothing to serve: it is
// more often a mistake than a plan.
func TestStartEmpty(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"notes.txt": "no schema", "sub/README.md": "neither"})
	p := serve(t, "--log-format", "json", dir)
	p.awaitLog(`"level":"WARN"`, dir)
	contains(t, p.log.String(), ".proto")
	full := serve(t, "--log-format", "json", folder(t, map[string]string{"sub/a.proto": serviceProto("A")}))
	if log := full.log.String(); strings.Contains(log, `no .proto`) {
		t.Errorf("warned without a reason:\n%s", log)
	}
}
