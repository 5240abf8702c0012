package schema_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dyngate/dyngate/internal/schema"
)

// watched runs Watch beside a test, compiling at each change.
type watched struct {
	*schema.Compiler
	t testing.TB

	mu    sync.Mutex
	calls int
	snap  *schema.Snapshot
	err   error
}

func watch(t testing.TB, opts schema.WatchOptions, sources ...schema.Source) *watched {
	t.Helper()
	w := &watched{Compiler: schema.New(schema.Options{Sources: sources}), t: t}
	w.start(opts)
	return w
}

func (w *watched) start(opts schema.WatchOptions) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := w.Watch(ctx, opts, w.changed); err != nil {
			w.t.Error(err)
		}
	}()
	w.t.Cleanup(func() {
		cancel()
		<-done
	})
}

func (w *watched) changed(ctx context.Context) {
	snap, err := w.Compile(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	w.snap, w.err = snap, err
}

// seen returns the last snapshot, and how often there was a change.
func (w *watched) seen() (*schema.Snapshot, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.snap, w.calls
}

// eventually waits until the services are these.
func (w *watched) eventually(want ...string) {
	w.t.Helper()
	w.until(fmt.Sprint(want), func(got *schema.Snapshot, err error) bool {
		return err == nil && got != nil && fmt.Sprint(names(got)) == fmt.Sprint(want)
	})
}

func (w *watched) until(what string, ok func(*schema.Snapshot, error) bool) {
	w.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		w.mu.Lock()
		snap, err := w.snap, w.err
		w.mu.Unlock()
		if ok(snap, err) {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("waited for %s, have %v, %v", what, names(snap), err)
		}
		time.Sleep(time.Millisecond)
	}
}

func names(s *schema.Snapshot) (out []string) {
	if s == nil {
		return nil
	}
	for _, service := range s.Services() {
		out = append(out, string(service.Desc.FullName()))
	}
	return out
}

func service(name string) string {
	return "syntax = \"proto3\";\npackage p;\nmessage M" + name + " {}\nservice " + name + " { rpc Do(M" + name + ") returns (M" + name + "); }\n"
}

// modes are the two ways to learn of changes.
var modes = map[string]schema.WatchOptions{
	"events": {Settle: 5 * time.Millisecond},
	"poll":   {Poll: 5 * time.Millisecond, Settle: 2 * time.Millisecond},
}

func eachMode(t *testing.T, test func(t *testing.T, opts schema.WatchOptions)) {
	t.Parallel()
	for name, opts := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, opts)
		})
	}
}

func TestWatchEdits(t *testing.T) {
	eachMode(t, func(t *testing.T, opts schema.WatchOptions) {
		dir := t.TempDir()
		a := filepath.Join(dir, "a.proto")
		write(t, a, service("A"))
		w := watch(t, opts, schema.Path(dir))
		w.eventually("p.A")

		write(t, a, service("B")) // same size, perhaps the same time
		w.eventually("p.B")

		write(t, filepath.Join(dir, "sub/deeper/c.proto"), service("C"))
		w.eventually("p.B", "p.C")
		write(t, filepath.Join(dir, "sub/deeper/c.proto"), service("D"))
		w.eventually("p.B", "p.D")

		// As editors save.
		write(t, filepath.Join(dir, ".a.proto.swp"), service("E"))
		must(t, os.Rename(filepath.Join(dir, ".a.proto.swp"), a))
		w.eventually("p.D", "p.E")

		write(t, a, "syntax = \"proto3\"; service {")
		w.eventually("p.D")
		write(t, a, service("E"))
		w.eventually("p.D", "p.E")

		must(t, os.RemoveAll(filepath.Join(dir, "sub")))
		w.eventually("p.E")
	})
}

func TestWatchRootComesBack(t *testing.T) {
	eachMode(t, func(t *testing.T, opts schema.WatchOptions) {
		root := filepath.Join(t.TempDir(), "up", "root")
		write(t, filepath.Join(root, "a.proto"), service("A"))
		w := watch(t, opts, schema.Path(root))
		w.eventually("p.A")

		must(t, os.RemoveAll(filepath.Dir(root)))
		w.until("an error", func(_ *schema.Snapshot, err error) bool { return err != nil })

		write(t, filepath.Join(root, "b.proto"), service("B"))
		w.eventually("p.B")
		write(t, filepath.Join(root, "b.proto"), service("C"))
		w.eventually("p.C")
	})
}

// TestWatchConfigMap swaps a link as a Kubernetes volume does.
func TestWatchConfigMap(t *testing.T) {
	eachMode(t, func(t *testing.T, opts schema.WatchOptions) {
		dir := t.TempDir()
		publish := func(i int, content string) {
			version := fmt.Sprintf("..2026_%d", i)
			write(t, filepath.Join(dir, version, "a.proto"), content)
			must(t, os.Symlink(version, filepath.Join(dir, "..tmp")))
			must(t, os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
			must(t, os.RemoveAll(filepath.Join(dir, fmt.Sprintf("..2026_%d", i-1))))
		}
		publish(1, service("A"))
		must(t, os.Symlink("..data/a.proto", filepath.Join(dir, "a.proto")))
		w := watch(t, opts, schema.Path(dir))
		w.eventually("p.A")
		publish(2, service("B"))
		w.eventually("p.B")
		publish(3, service("C"))
		w.eventually("p.C")
	})
}

func TestWatchLinks(t *testing.T) {
	eachMode(t, func(t *testing.T, opts schema.WatchOptions) {
		dir, elsewhere := t.TempDir(), t.TempDir()
		write(t, filepath.Join(elsewhere, "real.proto"), service("A"))
		write(t, filepath.Join(elsewhere, "sub/real.proto"), service("S"))
		must(t, os.Symlink(filepath.Join(elsewhere, "real.proto"), filepath.Join(dir, "a.proto")))
		must(t, os.Symlink(filepath.Join(elsewhere, "sub"), filepath.Join(dir, "sub")))
		must(t, os.Symlink(dir, filepath.Join(dir, "loop")))
		must(t, os.Symlink("nowhere.proto", filepath.Join(dir, "dangling.proto")))
		w := watch(t, opts, schema.Path(dir))
		w.eventually("p.A", "p.S")
		write(t, filepath.Join(elsewhere, "real.proto"), service("B"))
		w.eventually("p.B", "p.S")
		write(t, filepath.Join(elsewhere, "sub/real.proto"), service("T"))
		w.eventually("p.B", "p.T")
	})
}

// TestWatchOneFile watches a single file, and what it imports from beside it.
func TestWatchOneFile(t *testing.T) {
	eachMode(t, func(t *testing.T, opts schema.WatchOptions) {
		dir := t.TempDir()
		a := filepath.Join(dir, "a.proto")
		write(t, a, `syntax = "proto3"; import "sub/b.proto"; service A { rpc Do(p.MB) returns (p.MB); }`)
		write(t, filepath.Join(dir, "unrelated.proto"), service("U"))
		w := watch(t, opts, schema.Path(a))
		w.until("a snapshot", func(s *schema.Snapshot, _ error) bool { return s != nil })
		snap, _ := w.seen()
		if got := snap.Errors(); len(got) == 0 || !strings.Contains(got[0].Message, "sub/b.proto") {
			t.Fatalf("got %v", got)
		}
		write(t, filepath.Join(dir, "sub/b.proto"), service("B"))
		w.eventually("A")
		write(t, filepath.Join(dir, "sub/b.proto"), strings.ReplaceAll(service("B"), "MB", "MX"))
		w.eventually()
		write(t, filepath.Join(dir, "sub/b.proto"), service("B"))
		w.eventually("A")
	})
}

// TestWatchCatchesUp edits between Compile and Watch.
func TestWatchCatchesUp(t *testing.T) {
	eachMode(t, func(t *testing.T, opts schema.WatchOptions) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a.proto"), service("A"))
		w := &watched{Compiler: schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}}), t: t}
		compile(t, w.Compiler)
		write(t, filepath.Join(dir, "a.proto"), service("B"))
		w.start(opts)
		w.eventually("p.B")
	})
}

// TestWatchBurst writes many files at once: that is few calls, and all of it is seen.
func TestWatchBurst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.proto"), service("A"))
	w := watch(t, schema.WatchOptions{Settle: 100 * time.Millisecond}, schema.Path(dir))
	w.eventually("p.A")
	_, before := w.seen()
	want := []string{"p.A"}
	for i := range 50 {
		name := fmt.Sprintf("B%02d", i)
		want = append(want, "p."+name)
		write(t, filepath.Join(dir, name+".proto"), service(name))
	}
	w.eventually(want...)
	if _, after := w.seen(); after-before > 3 {
		t.Errorf("a burst of 50 files made %d calls", after-before)
	}
}

// TestWatchConstantStream never lets it be quiet.
func TestWatchConstantStream(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.proto"), service("A"))
	w := watch(t, schema.WatchOptions{Settle: 50 * time.Millisecond}, schema.Path(dir))
	w.eventually("p.A")
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				_ = os.WriteFile(filepath.Join(dir, "noise.proto"), fmt.Appendf(nil, "// %d\n%s", i, service("N")), 0o644)
			}
		}
	})
	write(t, filepath.Join(dir, "a.proto"), service("B"))
	w.until("p.B", func(s *schema.Snapshot, _ error) bool { return strings.Contains(fmt.Sprint(names(s)), "p.B") })
	close(stop)
	writer.Wait()
}

// TestWatchIgnores checks that what is no schema wakes nobody.
func TestWatchIgnores(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "root/a.proto"), service("A"))
	w := watch(t, schema.WatchOptions{Settle: time.Millisecond}, schema.Path(filepath.Join(dir, "root")))
	w.eventually("p.A")
	_, before := w.seen()
	write(t, filepath.Join(dir, "root/notes.txt"), "x")
	write(t, filepath.Join(dir, "root/.hidden.proto"), "x")
	write(t, filepath.Join(dir, "outside.proto"), "x")
	write(t, filepath.Join(dir, "root/b.proto"), service("B"))
	w.eventually("p.A", "p.B")
	if _, after := w.seen(); after-before > 2 {
		t.Errorf("%d calls", after-before)
	}
}

// TestWatchLogs checks that a watch on nothing but an embedded source is silent and ends.
func TestWatchLogs(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c := schema.New(schema.Options{
		Sources: []schema.Source{schema.FS("embedded", os.DirFS(t.TempDir()))},
		Logger:  slog.New(slog.NewTextHandler(&log, nil)),
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Watch(ctx, schema.WatchOptions{}, func(context.Context) {}); err != nil || log.Len() > 0 {
		t.Errorf("error %v, log %q", err, log.String())
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
