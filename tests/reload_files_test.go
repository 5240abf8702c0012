package tests

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
)

// serviceProto declares a service in package p that says which one it is.
func serviceProto(name string) string {
	return fmt.Sprintf("syntax = \"proto3\";\npackage p;\nmessage %[1]sMessage { string text = 1; }\nservice %[1]s {\n  rpc Do(%[1]sMessage) returns (%[1]sMessage);\n}\n", name)
}

// answerAll answers every unary method of every service with its request.
func answerAll(reg *handlers.Registry) {
	reg.Handle("**", handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) {
		return handlers.HandlerFunc(func(_ context.Context, call handlers.Call) error {
			in, err := call.Recv()
			if err != nil {
				return err
			}
			return call.Send(in)
		}), nil
	}))
}

// watched is a server that follows a folder.
type watched struct {
	*local
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
	answerAll(reg)
	config := dynserver.Config{Sources: []dynserver.Source{dynserver.Path(dir)}, Handlers: reg, Watch: true}
	change(&config)
	return watched{startLocal(t, config), t, dir}
}

func (w watched) path(name string) string { return filepath.Join(w.dir, name) }

// state is the names of the services, those that are stale with a star.
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

// want waits until the services are these, and calls them all.
func (w watched) want(state string) {
	w.t.Helper()
	eventually(w.t, state, func() bool { return w.state() == state })
	for name := range strings.FieldsSeq(strings.ReplaceAll(state, "*", "")) {
		if _, err := invoke(timeout(w.t), w.conn, "/p."+name+"/Do", text(1, name)); err != nil {
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

// TestReloadSaves saves as editors do, whole and in halves.
func TestReloadSaves(t *testing.T) {
	eachWatch(t, func(t *testing.T, start func(*testing.T, string) watched) {
		w := start(t, folder(t, map[string]string{"a.proto": serviceProto("A"), "b.proto": serviceProto("B")}))
		w.want("A B")
		replace(t, w.path("a.proto"), serviceProto("C"))
		w.want("B C")
		whole := serviceProto("D")
		write(t, w.path("a.proto"), whole[:len(whole)-10])
		w.want("B C*")
		contains(t, w.stale("C"), w.path("a.proto")+":")
		write(t, w.path("a.proto"), whole)
		w.want("B D")
		write(t, w.path("a.proto"), "") // as a disk that is full leaves it
		w.want("B D*")
		must(t, os.Remove(w.path("a.proto")))
		w.want("B")
		write(t, w.path("sub/folder/e.proto"), serviceProto("E"))
		w.want("B E")
		must(t, os.Rename(w.path("sub"), w.path("other")))
		w.want("B E")
		must(t, os.RemoveAll(w.path("other")))
		w.want("B")
	})
}

// TestReloadConfigMap swaps a symbolic link, as Kubernetes publishes a ConfigMap.
func TestReloadConfigMap(t *testing.T) {
	eachWatch(t, func(t *testing.T, start func(*testing.T, string) watched) {
		dir := t.TempDir()
		publish := func(version string, files map[string]string) {
			for name, content := range files {
				write(t, filepath.Join(dir, "..v"+version, name), content)
			}
			must(t, os.Symlink("..v"+version, filepath.Join(dir, "..data_tmp")))
			must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
		}
		publish("1", map[string]string{"a.proto": serviceProto("A"), "b.proto": serviceProto("B")})
		for _, name := range []string{"a.proto", "b.proto"} {
			must(t, os.Symlink("..data/"+name, filepath.Join(dir, name)))
		}
		w := start(t, dir)
		w.want("A B")
		publish("2", map[string]string{"a.proto": serviceProto("A2"), "b.proto": serviceProto("B2")})
		must(t, os.RemoveAll(filepath.Join(dir, "..v1")))
		w.want("A2 B2")
		publish("3", map[string]string{"a.proto": serviceProto("A2") + "x", "b.proto": serviceProto("B3")})
		w.want("A2* B3")
		publish("4", map[string]string{"a.proto": serviceProto("A4"), "b.proto": serviceProto("B4")})
		w.want("A4 B4")
	})
}

// TestReloadCheckout changes many files that depend on each other, as a change
// of branches does.
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
		w := start(t, folder(t, branch(0)))
		w.want(names(0))
		stays := startLoad(t, w.conn, "/p.S15/Do", text(1, "x"), func(out []byte) bool { return textOf(out, 1) == "x" })
		for n := range 6 {
			for path := range branch(n) {
				if _, stays := branch(n + 1)[path]; !stays {
					must(t, os.Remove(w.path(path)))
				}
			}
			for path, content := range branch(n + 1) {
				write(t, w.path(path), content)
			}
			w.want(names(n + 1))
		}
		stays.end(t)
	})
}

// TestReloadImports breaks what others import: they keep what they had, the
// rest moves on.
func TestReloadImports(t *testing.T) {
	t.Parallel()
	common := `syntax = "proto3"; package p; message Common { string text = 1; }`
	user := func(name string) string {
		return fmt.Sprintf("syntax = \"proto3\"; package p; import \"common.proto\"; service %s { rpc Do(Common) returns (Common); }", name)
	}
	w := startWatched(t, folder(t, map[string]string{
		"common.proto": common, "a.proto": user("A"), "b.proto": user("B"), "c.proto": serviceProto("C"),
	}), 0)
	w.want("A B C")
	write(t, w.path("common.proto"), common+"}")
	w.want("A* B* C")
	comment(t, w.conn, "p.A") // reflection describes what is served, stale or not
	write(t, w.path("c.proto"), serviceProto("D"))
	w.want("A* B* D")
	must(t, os.Remove(w.path("common.proto")))
	eventually(t, "the missing import to be reported", func() bool { return strings.Contains(w.stale("A"), "common.proto") })
	w.want("A* B* D")
	must(t, os.Remove(w.path("a.proto")))
	w.want("B* D")
	write(t, w.path("common.proto"), common)
	w.want("B D")
}

// TestReloadTwice has two files declare one service while the server runs.
func TestReloadTwice(t *testing.T) {
	t.Parallel()
	w := startWatched(t, folder(t, map[string]string{"a.proto": serviceProto("A"), "b.proto": serviceProto("B")}), 0)
	w.want("A B")
	write(t, w.path("again.proto"), serviceProto("A"))
	w.want("A* B")
	contains(t, w.stale("A"), "a.proto", "again.proto")
	must(t, os.Remove(w.path("a.proto")))
	w.want("A B")
}
