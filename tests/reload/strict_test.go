package reload

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestSighup checks that a server which does not watch reloads on SIGHUP only.
func TestSighup(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"a.proto": rig.ServiceProto("A")})
	p := rig.Serve(t, "--no-watch", dir)
	conn := rig.Dial(t, p.Addr())
	rig.Write(t, filepath.Join(dir, "b.proto"), rig.ServiceProto("B"))
	_, err := rig.Invoke(rig.Context(t), conn, "/p.B/Do", nil)
	rig.WantText(t, fmt.Sprint(err), `unknown service "p.B"`)
	p.Signal(syscall.SIGHUP)
	p.AwaitStderr("added: p.B")
	_, err = rig.Invoke(rig.Context(t), conn, "/p.B/Do", nil)
	rig.WantText(t, fmt.Sprint(err), "no handler answers it")
	rig.Write(t, filepath.Join(dir, "b.proto"), "broken")
	p.Signal(syscall.SIGHUP)
	p.AwaitStderr("stale, served from their last good version: p.B", filepath.Join(dir, "b.proto")+":1:")
}

// TestStrictReload checks that --strict-reload applies all changes or none.
func TestStrictReload(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"a.proto": rig.ServiceProto("A"), "b.proto": rig.ServiceProto("B")})
	p := rig.Serve(t, "--strict-reload", "--no-watch", "--log-format", "json", dir)
	conn := rig.Dial(t, p.Addr())
	known := func(service string) bool {
		_, err := rig.Invoke(rig.Context(t), conn, "/p."+service+"/Do", nil)
		rig.WantCode(t, err, codes.Unimplemented)
		return !strings.Contains(status.Convert(err).Message(), "unknown service")
	}
	rig.Write(t, filepath.Join(dir, "a.proto"), rig.ServiceProto("A")+"broken")
	rig.Write(t, filepath.Join(dir, "c.proto"), rig.ServiceProto("C"))
	p.Signal(syscall.SIGHUP)
	p.AwaitStderr(`"generation":1,"applied":false`, `"file":"`+filepath.Join(dir, "a.proto")+`","line":7,"column":1`)
	if !known("A") || !known("B") || known("C") {
		t.Error("a part of a broken reload was taken")
	}
	rig.Write(t, filepath.Join(dir, "a.proto"), rig.ServiceProto("A"))
	p.Signal(syscall.SIGHUP)
	p.AwaitStderr(`"applied":true,"added":["p.C"]`)
	if !known("A") || !known("B") || !known("C") {
		t.Error("a good reload was not taken")
	}
}

// TestStrictReloadTells checks the log of reloads that are held back.
func TestStrictReloadTells(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"a.proto": rig.ServiceProto("A")})
	p := rig.Serve(t, "--strict-reload", dir)
	rig.Write(t, filepath.Join(dir, "a.proto"), rig.ServiceProto("A")+"broken")
	p.AwaitStderr("held back", filepath.Join(dir, "a.proto")+":7:1")
	rig.Write(t, filepath.Join(dir, "a.proto"), rig.ServiceProto("B"))
	p.AwaitStderr("added: p.B; removed: p.A")
}
