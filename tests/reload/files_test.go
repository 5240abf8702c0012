package reload

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// watched is a server that follows a folder.
type watched struct {
	*rig.Server
	t   *testing.T
	dir string
}

func startWatched(t *testing.T, dir string, poll time.Duration) watched {
	t.Helper()
	return startWatchedWith(t, dir, func(c *dynserver.Config) { c.WatchPoll = poll })
}

func startWatchedWith(t *testing.T, dir string, change func(*dynserver.Config)) watched {
	t.Helper()
	reg := handlers.NewRegistry()
	rig.AnswerAll(reg)
	config := dynserver.Config{Sources: []dynserver.Source{dynserver.Path(dir)}, Handlers: reg, Watch: true}
	change(&config)
	return watched{rig.Local(t, config), t, dir}
}

func (w watched) path(name string) string { return filepath.Join(w.dir, name) }

// state returns the names of the services, with a star if they are stale.
func (w watched) state() string {
	var names []string
	for _, s := range w.Services() {
		name := strings.TrimPrefix(s.Name, "p.")
		if len(s.Stale) > 0 {
			name += "*"
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// want waits until state returns this, and calls every service.
func (w watched) want(state string) {
	w.t.Helper()
	rig.Eventually(w.t, state, func() bool { return w.state() == state })
	for name := range strings.FieldsSeq(strings.ReplaceAll(state, "*", "")) {
		if _, err := rig.Invoke(rig.Context(w.t), w.Conn, "/p."+name+"/Do", rig.Text(1, name)); err != nil {
			w.t.Errorf("p.%s: %v", name, err)
		}
	}
}

// stale returns why a service is stale.
func (w watched) stale(name string) string {
	for _, s := range w.Services() {
		if s.Name == "p."+name {
			return fmt.Sprint(s.Stale)
		}
	}
	return ""
}

// eachWatch runs a test with the system's notifications, and with polling.
func eachWatch(t *testing.T, test func(t *testing.T, start func(t *testing.T, dir string) watched)) {
	t.Parallel()
	for name, poll := range map[string]time.Duration{"events": 0, "poll": 10 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, func(t *testing.T, dir string) watched { return startWatched(t, dir, poll) })
		})
	}
}

// TestReloadSaves writes files as editors do, whole and in halves.
func TestReloadSaves(t *testing.T) {
	eachWatch(t, func(t *testing.T, start func(*testing.T, string) watched) {
		w := start(t, rig.Folder(t, map[string]string{"a.proto": rig.ServiceProto("A"), "b.proto": rig.ServiceProto("B")}))
		w.want("A B")
		rig.Replace(t, w.path("a.proto"), rig.ServiceProto("C"))
		w.want("B C")
		whole := rig.ServiceProto("D")
		rig.Write(t, w.path("a.proto"), whole[:len(whole)-10])
		w.want("B C*")
		rig.WantText(t, w.stale("C"), w.path("a.proto")+":")
		rig.Write(t, w.path("a.proto"), whole)
		w.want("B D")
		rig.Write(t, w.path("a.proto"), "") // as a disk that is full leaves it
		w.want("B D*")
		rig.Must(t, os.Remove(w.path("a.proto")))
		w.want("B")
		rig.Write(t, w.path("sub/folder/e.proto"), rig.ServiceProto("E"))
		w.want("B E")
		rig.Must(t, os.Rename(w.path("sub"), w.path("other")))
		w.want("B E")
		rig.Must(t, os.RemoveAll(w.path("other")))
		w.want("B")
	})
}

// TestReloadConfigMap swaps a symbolic link, as Kubernetes publishes a ConfigMap.
func TestReloadConfigMap(t *testing.T) {
	eachWatch(t, func(t *testing.T, start func(*testing.T, string) watched) {
		dir := t.TempDir()
		publish := func(version string, files map[string]string) {
			for name, content := range files {
				rig.Write(t, filepath.Join(dir, "..v"+version, name), content)
			}
			rig.Must(t, os.Symlink("..v"+version, filepath.Join(dir, "..data_tmp")))
			rig.Must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
		}
		publish("1", map[string]string{"a.proto": rig.ServiceProto("A"), "b.proto": rig.ServiceProto("B")})
		for _, name := range []string{"a.proto", "b.proto"} {
			rig.Must(t, os.Symlink("..data/"+name, filepath.Join(dir, name)))
		}
		w := start(t, dir)
		w.want("A B")
		publish("2", map[string]string{"a.proto": rig.ServiceProto("A2"), "b.proto": rig.ServiceProto("B2")})
		rig.Must(t, os.RemoveAll(filepath.Join(dir, "..v1")))
		w.want("A2 B2")
		publish("3", map[string]string{"a.proto": rig.ServiceProto("A2") + "x", "b.proto": rig.ServiceProto("B3")})
		w.want("A2* B3")
		publish("4", map[string]string{"a.proto": rig.ServiceProto("A4"), "b.proto": rig.ServiceProto("B4")})
		w.want("A4 B4")
	})
}

// TestReloadCheckout changes many files that depend on each other, like git checkout.
func TestReloadCheckout(t *testing.T) {
	eachWatch(t, func(t *testing.T, start func(*testing.T, string) watched) {
		branch := func(n int) map[string]string {
			field := fmt.Sprintf("F%d", n)
			common := fmt.Sprintf("common%d.proto", n%2)
			files := map[string]string{common: "syntax = \"proto3\"; package p; message " + field + " { string text = 1; }"}
			for i := range 20 {
				name := fmt.Sprintf("S%02d", i+n) // some stay, some come, some go
				files["s/"+name+".proto"] = fmt.Sprintf("syntax = \"proto3\"; package p; import %q; service %s { rpc Do(%s) returns (%s); }", common, name, field, field)
			}
			return files
		}
		names := func(n int) string {
			var all []string
			for path := range branch(n) {
				if name, ok := strings.CutPrefix(path, "s/"); ok {
					all = append(all, strings.TrimSuffix(name, ".proto"))
				}
			}
			slices.Sort(all)
			return strings.Join(all, " ")
		}
		w := start(t, rig.Folder(t, branch(0)))
		w.want(names(0))
		stays := rig.StartLoad(t, w.Conn, "/p.S15/Do", rig.Text(1, "x"), func(out []byte) bool { return rig.TextOf(out, 1) == "x" })
		for n := range 6 {
			for path := range branch(n) {
				if _, stays := branch(n + 1)[path]; !stays {
					rig.Must(t, os.Remove(w.path(path)))
				}
			}
			for path, content := range branch(n + 1) {
				rig.Write(t, w.path(path), content)
			}
			w.want(names(n + 1))
		}
		stays.End(t)
	})
}

// TestReloadImports breaks a file that others import. These keep their old version,
// and the rest is reloaded.
func TestReloadImports(t *testing.T) {
	t.Parallel()
	common := `syntax = "proto3"; package p; message Common { string text = 1; }`
	user := func(name string) string {
		return fmt.Sprintf("syntax = \"proto3\"; package p; import \"common.proto\"; service %s { rpc Do(Common) returns (Common); }", name)
	}
	w := startWatched(t, rig.Folder(t, map[string]string{
		"common.proto": common, "a.proto": user("A"), "b.proto": user("B"), "c.proto": rig.ServiceProto("C"),
	}), 0)
	w.want("A B C")
	rig.Write(t, w.path("common.proto"), common+"}")
	w.want("A* B* C")
	rig.Comment(t, w.Conn, "p.A") // reflection describes what is served, stale or not
	rig.Write(t, w.path("c.proto"), rig.ServiceProto("D"))
	w.want("A* B* D")
	rig.Must(t, os.Remove(w.path("common.proto")))
	rig.Eventually(t, "the missing import to be reported", func() bool { return strings.Contains(w.stale("A"), "common.proto") })
	w.want("A* B* D")
	rig.Must(t, os.Remove(w.path("a.proto")))
	w.want("B* D")
	rig.Write(t, w.path("common.proto"), common)
	w.want("B D")
}

// TestReloadTwice has two files declare one service while the server runs.
func TestReloadTwice(t *testing.T) {
	t.Parallel()
	w := startWatched(t, rig.Folder(t, map[string]string{"a.proto": rig.ServiceProto("A"), "b.proto": rig.ServiceProto("B")}), 0)
	w.want("A B")
	rig.Write(t, w.path("again.proto"), rig.ServiceProto("A"))
	w.want("A* B")
	rig.WantText(t, w.stale("A"), "a.proto", "again.proto")
	rig.Must(t, os.Remove(w.path("a.proto")))
	w.want("A B")
}
