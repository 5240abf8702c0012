package server

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// broken is a folder with a file for every kind of mistake, and one good file.
var broken = map[string]string{
	"good.proto":        rig.ServiceProto("Good"),
	"syntax.proto":      "syntax = \"proto3\";\nmessage M {\n  string text 1;\n}\n",
	"type.proto":        "syntax = \"proto3\";\npackage t;\nmessage M {\n  Missing text = 1;\n}\n",
	"number.proto":      "syntax = \"proto3\";\npackage n;\nmessage M {\n  string a = 1;\n  string b = 1;\n}\n",
	"import.proto":      "syntax = \"proto3\";\npackage i;\nimport \"no/such.proto\";\n",
	"user.proto":        "syntax = \"proto3\";\npackage u;\nimport \"type.proto\";\nservice User { rpc Do(t.M) returns (t.M); }\n",
	"twice1.proto":      rig.ServiceProto("Twice"),
	"twice2.proto":      "// moved down\n" + rig.ServiceProto("Twice"),
	"cycle1.proto":      "syntax = \"proto3\";\nimport \"cycle2.proto\";\n",
	"cycle2.proto":      "syntax = \"proto3\";\nimport \"cycle1.proto\";\n",
	"utf8.proto":        "syntax = \"proto3\";\n// \xff\n",
	"deeper/enum.proto": "syntax = \"proto3\";\npackage e;\nenum E {\n  A = 1;\n}\n",
}

// TestStartStrict checks that the start fails with all errors and their positions.
func TestStartStrict(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, broken)
	said := refuse(t, 1, dir)
	for _, place := range []string{
		"syntax.proto:3:15", "type.proto:4:3", "number.proto:5:", "import.proto:3:", "twice1.proto", "twice2.proto:5:", "deeper/enum.proto:4:", "utf8.proto", "cycle",
	} {
		rig.WantText(t, said, filepath.Join(dir, place))
	}
	rig.WantText(t, said, "cannot start", "no/such.proto", "Missing", "Twice", "errors, ")
	if strings.Contains(said, "good.proto") {
		t.Error("the good file is mentioned")
	}
}

// TestStartLenient serves the good file, logs the errors, and serves a file when it
// is fixed.
func TestStartLenient(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, broken)
	p := rig.Serve(t, "--lenient", dir)
	rig.WantText(t, p.Stdout.String(), "Serving 1 service:", "p.Good")
	rig.WantText(t, p.Stderr.String(), filepath.Join(dir, "syntax.proto"), filepath.Join(dir, "number.proto")+":5:")
	conn := rig.Dial(t, p.Addr())
	_, err := rig.Invoke(rig.Context(t), conn, "/p.Good/Do", nil)
	rig.WantCode(t, err, codes.Unimplemented)
	rig.WantText(t, err.Error(), "no handler answers it")
	rig.Replace(t, filepath.Join(dir, "type.proto"), "syntax = \"proto3\";\npackage t;\nmessage M {}\n")
	rig.Eventually(t, "u.User", func() bool {
		_, err := rig.Invoke(rig.Context(t), conn, "/u.User/Do", nil)
		return strings.Contains(fmt.Sprint(err), "no handler answers it")
	})
}

// TestStartNothing checks missing and empty sources.
func TestStartNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rig.WantText(t, refuse(t, 1, filepath.Join(dir, "no-such")), "no-such")
	rig.WantText(t, refuse(t, 1, "--features", filepath.Join(dir, "no-such.json")), "no-such.json")
	rig.WantText(t, refuse(t, 2, "--log-level", "loud"), "--log-level", "loud")
	rig.WantText(t, refuse(t, 2, "--log-format", "xml"), "--log-format", "xml")
	rig.WantText(t, refuse(t, 2, "--no-such-flag"), "no-such-flag")
	p := rig.Serve(t, dir)
	rig.Write(t, filepath.Join(dir, "a.proto"), rig.ServiceProto("A"))
	p.AwaitStderr("added: p.A")
}

// TestStartHandlers checks that New reports all handlers that do not fit, with both
// positions, and the errors of the registry.
func TestStartHandlers(t *testing.T) {
	t.Parallel()
	config := rig.Config(t, lab.Proto, func(reg *handlers.Registry) {
		reg.Handle("lab.Lab/Echo", handlers.ServerStream(lab.HandleDown))
		reg.Handle("lab.Lab/Chat", handlers.Unary(lab.HandleEcho))
		reg.Handle("lab.Lab/Down", handlers.ServerStream(lab.HandleDown))
	})
	_, err := rig.New(t, config)
	var load *dynserver.LoadError
	if !errors.As(err, &load) || len(load.Diagnostics) != 2 {
		t.Fatalf("got %v", err)
	}
	rig.WantText(t, err.Error(), "test.proto:6:7", "test.proto:10:7", "lab.Lab/Echo", "lab.Lab/Chat", "use handlers.Unary", "use handlers.Bidi", "start_test.go:", "2 errors")

	config = rig.Config(t, lab.Proto, func(reg *handlers.Registry) {
		lab.Register(reg)
		lab.Register(reg)
		reg.Handle("lab.*", handlers.Unary(lab.HandleEcho))
		reg.Handle("lab.Lab/Nobody", nil)
	})
	_, err = rig.New(t, config)
	rig.WantText(t, fmt.Sprint(err), "registered twice", "lab.go:", `pattern "lab.*"`, "nil implementation")
}

// TestStartEmpty checks the warning about a folder without .proto files, which is
// most often a mistake.
func TestStartEmpty(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"notes.txt": "no schema", "sub/README.md": "neither"})
	p := rig.Serve(t, "--log-format", "json", dir)
	p.AwaitStderr(`"level":"WARN"`, dir)
	rig.WantText(t, p.Stderr.String(), ".proto")
	full := rig.Serve(t, "--log-format", "json", rig.Folder(t, map[string]string{"sub/a.proto": rig.ServiceProto("A")}))
	if log := full.Stderr.String(); strings.Contains(log, `no .proto`) {
		t.Errorf("warned without a reason:\n%s", log)
	}
}

// refuse runs `dyngate serve` with arguments that it must refuse, and returns what
// it logs.
func refuse(t testing.TB, status int, args ...string) string {
	t.Helper()
	r := rig.Run(t, append([]string{"serve", "--grpc", "127.0.0.1:0"}, args...)...)
	if r.Status != status {
		t.Errorf("exit status %d, want %d", r.Status, status)
	}
	return r.Stderr
}
