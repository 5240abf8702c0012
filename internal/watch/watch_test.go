package watch_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dyngate/dyngate/internal/watch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reader reads all roots at each change.
type reader struct {
	t       testing.TB
	log     bytes.Buffer
	options watch.Options

	mu    sync.Mutex
	calls int
	roots []watch.Root
	seen  string
}

// read watches roots until the test ends.
func read(t testing.TB, opts watch.Options, roots ...watch.Root) *reader {
	t.Helper()
	r := &reader{t: t, options: opts, roots: roots}
	r.options.Roots = func() []watch.Root {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.roots
	}
	r.options.Log = slog.New(slog.NewTextHandler(&r.log, nil))
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { watch.Run(ctx, r.options, r.changed) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if r.log.Len() > 0 {
			t.Errorf("log: %s", r.log.String())
		}
	})
	return r
}

func (r *reader) changed(context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	var seen []string
	for _, root := range r.roots {
		seen = append(seen, contents(root.Path, root.Suffix, 0)...)
	}
	r.seen = strings.Join(seen, " ")
}

// contents returns what the files at a path contain.
func contents(path, suffix string, depth int) (out []string) {
	info, err := os.Stat(path)
	if err != nil || depth > 5 {
		return nil
	}
	if !info.IsDir() {
		content, _ := os.ReadFile(path)
		return []string{string(content)}
	}
	entries, _ := os.ReadDir(path)
	for _, e := range entries {
		name := filepath.Join(path, e.Name())
		info, err := os.Stat(name)
		if err == nil && !strings.HasPrefix(e.Name(), ".") && (info.IsDir() || strings.HasSuffix(name, suffix)) {
			out = append(out, contents(name, suffix, depth+1)...)
		}
	}
	return out
}

// eventually waits until the files contain this.
func (r *reader) eventually(want string) {
	r.t.Helper()
	r.until(want, func(seen string) bool { return seen == want })
}

func (r *reader) until(what string, ok func(seen string) bool) {
	r.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		r.mu.Lock()
		seen := r.seen
		r.mu.Unlock()
		if ok(seen) {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("waited for %q, have %q", what, seen)
		}
		time.Sleep(time.Millisecond)
	}
}

func (r *reader) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls
}

// modes are the two ways to detect changes.
var modes = map[string]watch.Options{
	"events": {Settle: 5 * time.Millisecond},
	"poll":   {Poll: 5 * time.Millisecond, Settle: 2 * time.Millisecond},
}

func eachMode(t *testing.T, test func(t *testing.T, opts watch.Options)) {
	t.Parallel()
	for name, opts := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, opts)
		})
	}
}

func TestEdits(t *testing.T) {
	eachMode(t, func(t *testing.T, opts watch.Options) {
		dir := t.TempDir()
		a := filepath.Join(dir, "a.txt")
		write(t, a, "A")
		r := read(t, opts, watch.Root{Path: dir, Suffix: ".txt"})
		r.eventually("A")

		write(t, a, "B") // same size, perhaps the same time
		r.eventually("B")

		write(t, filepath.Join(dir, "sub/deeper/c.txt"), "C")
		r.eventually("B C")
		write(t, filepath.Join(dir, "sub/deeper/c.txt"), "D")
		r.eventually("B D")

		// As editors save.
		write(t, filepath.Join(dir, ".a.txt.swp"), "E")
		must(t, os.Rename(filepath.Join(dir, ".a.txt.swp"), a))
		r.eventually("E D")
		must(t, os.Rename(a, a+"~"))
		write(t, a, "F")
		must(t, os.Remove(a+"~"))
		r.eventually("F D")
		write(t, a, "G")
		r.eventually("G D")

		must(t, os.Rename(filepath.Join(dir, "sub"), filepath.Join(dir, "other")))
		write(t, filepath.Join(dir, "other/deeper/c.txt"), "H")
		r.eventually("G H")
		must(t, os.RemoveAll(filepath.Join(dir, "other")))
		r.eventually("G")
	})
}

// TestRootComesBack removes the folder of a root and creates it again.
func TestRootComesBack(t *testing.T) {
	eachMode(t, func(t *testing.T, opts watch.Options) {
		root := filepath.Join(t.TempDir(), "up", "root")
		write(t, filepath.Join(root, "a"), "A")
		r := read(t, opts, watch.Root{Path: root})
		r.eventually("A")
		must(t, os.RemoveAll(filepath.Dir(root)))
		r.eventually("")
		write(t, filepath.Join(root, "b"), "B")
		r.eventually("B")
		write(t, filepath.Join(root, "b"), "C")
		r.eventually("C")
	})
}

// TestRootComesLater watches roots that do not exist at first: a folder, a file, and
// the target of a dangling link. They are created one folder at a time.
func TestRootComesLater(t *testing.T) {
	eachMode(t, func(t *testing.T, opts watch.Options) {
		dir := t.TempDir()
		must(t, os.Symlink("x/y/linked", filepath.Join(dir, "link")))
		r := read(t, opts,
			watch.Root{Path: filepath.Join(dir, "some/where/folder")},
			watch.Root{Path: filepath.Join(dir, "some/where/else/file.txt")},
			watch.Root{Path: filepath.Join(dir, "link")})
		want := ""
		for i, name := range []string{"some/where/folder/deep/f", "some/where/else/file.txt", "x/y/linked"} {
			write(t, filepath.Join(dir, name), strconv.Itoa(i))
			want = strings.TrimSpace(want + " " + strconv.Itoa(i))
			r.eventually(want)
		}
		write(t, filepath.Join(dir, "x/y/linked"), "new")
		r.eventually("0 1 new")
	})
}

// TestFileInTheWay replaces a file with a folder of a root's path.
func TestFileInTheWay(t *testing.T) {
	eachMode(t, func(t *testing.T, opts watch.Options) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "x"), "a file")
		r := read(t, opts, watch.Root{Path: filepath.Join(dir, "x/y")})
		must(t, os.Remove(filepath.Join(dir, "x")))
		write(t, filepath.Join(dir, "x/y"), "Y")
		r.eventually("Y")
	})
}

// TestConfigMap swaps a link as a Kubernetes volume does, for a folder, a file in it,
// and both.
func TestConfigMap(t *testing.T) {
	for name, roots := range map[string][]string{"folder": {"."}, "file": {"a.txt"}, "both": {".", "a.txt"}} {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, opts watch.Options) {
				dir := t.TempDir()
				publish := configMap(t, dir)
				publish("A")
				must(t, os.Symlink("..data/a.txt", filepath.Join(dir, "a.txt")))
				var watched []watch.Root
				for _, root := range roots {
					watched = append(watched, watch.Root{Path: filepath.Join(dir, root)})
				}
				r := read(t, opts, watched...)
				for _, content := range []string{"A", "B", "C"} {
					if content != "A" {
						publish(content)
					}
					r.eventually(strings.TrimSpace(strings.Repeat(content+" ", len(roots))))
				}
			})
		})
	}
}

// configMap returns a function that publishes a.txt in a folder like the
// kubelet.
func configMap(t *testing.T, dir string) func(content string) {
	i := 0
	return func(content string) {
		i++
		version := fmt.Sprintf("..2026_%d", i)
		write(t, filepath.Join(dir, version, "a.txt"), content)
		must(t, os.Symlink(version, filepath.Join(dir, "..tmp")))
		must(t, os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
		must(t, os.RemoveAll(filepath.Join(dir, fmt.Sprintf("..2026_%d", i-1))))
	}
}

// TestReleaseLink swaps a link above a root, as deployments do.
func TestReleaseLink(t *testing.T) {
	eachMode(t, func(t *testing.T, opts watch.Options) {
		dir := t.TempDir()
		publish := func(version string) {
			write(t, filepath.Join(dir, version, "conf/a.txt"), version)
			must(t, os.Symlink(version, filepath.Join(dir, "next")))
			must(t, os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "current")))
		}
		publish("one")
		r := read(t, opts, watch.Root{Path: filepath.Join(dir, "current/conf"), Suffix: ".txt"})
		r.eventually("one")
		publish("two")
		r.eventually("two")
		write(t, filepath.Join(dir, "two/conf/a.txt"), "three")
		r.eventually("three")
	})
}

func TestLinks(t *testing.T) {
	eachMode(t, func(t *testing.T, opts watch.Options) {
		dir, elsewhere := t.TempDir(), t.TempDir()
		write(t, filepath.Join(elsewhere, "real.txt"), "A")
		write(t, filepath.Join(elsewhere, "sub/real.txt"), "S")
		must(t, os.Symlink(filepath.Join(elsewhere, "real.txt"), filepath.Join(dir, "a.txt")))
		must(t, os.Symlink(filepath.Join(elsewhere, "sub"), filepath.Join(dir, "sub")))
		must(t, os.Symlink("nowhere.txt", filepath.Join(dir, "dangling.txt")))
		must(t, os.Symlink("round", filepath.Join(dir, "round")))
		must(t, os.MkdirAll(filepath.Join(dir, "zz"), 0o755))
		must(t, os.Symlink("..", filepath.Join(dir, "zz/loop")))
		r := read(t, opts, watch.Root{Path: dir, Suffix: ".txt"})
		starts := func(want string) { r.until(want, func(seen string) bool { return strings.HasPrefix(seen, want) }) }
		starts("A S")
		write(t, filepath.Join(elsewhere, "real.txt"), "B")
		starts("B S")
		write(t, filepath.Join(elsewhere, "sub/real.txt"), "T")
		starts("B T")
		write(t, filepath.Join(dir, "nowhere.txt"), "N")
		starts("B N N T")
		must(t, os.Remove(filepath.Join(dir, "sub")))
		starts("B N N B") // zz/loop
	})
}

// TestTwoSuffixes watches one folder in two roots, under two names.
func TestTwoSuffixes(t *testing.T) {
	eachMode(t, func(t *testing.T, opts watch.Options) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "real/a.txt"), "A")
		write(t, filepath.Join(dir, "real/b.md"), "B")
		must(t, os.Symlink("real", filepath.Join(dir, "link")))
		r := read(t, opts, watch.Root{Path: filepath.Join(dir, "real"), Suffix: ".txt"}, watch.Root{Path: filepath.Join(dir, "link"), Suffix: ".md"})
		r.eventually("A B")
		write(t, filepath.Join(dir, "real/b.md"), "C")
		r.eventually("A C")
		write(t, filepath.Join(dir, "real/a.txt"), "D")
		r.eventually("D C")
	})
}

// TestRootsFollow returns other roots after each change.
func TestRootsFollow(t *testing.T) {
	eachMode(t, func(t *testing.T, opts watch.Options) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "one"), "1")
		write(t, filepath.Join(dir, "far/two"), "2")
		r := read(t, opts, watch.Root{Path: filepath.Join(dir, "one")})
		r.eventually("1")
		r.mu.Lock()
		r.roots = append(slices.Clone(r.roots), watch.Root{Path: filepath.Join(dir, "far")})
		r.mu.Unlock()
		write(t, filepath.Join(dir, "one"), "1!")
		r.eventually("1! 2")
		write(t, filepath.Join(dir, "far/two"), "2!")
		r.eventually("1! 2!")
		r.mu.Lock()
		r.roots = r.roots[1:]
		r.mu.Unlock()
		write(t, filepath.Join(dir, "one"), "not read")
		r.eventually("2!")
		before := r.count()
		write(t, filepath.Join(dir, "one"), "not watched")
		write(t, filepath.Join(dir, "far/two"), "2!!")
		r.eventually("2!!")
		if got := r.count() - before; got > 2 {
			t.Errorf("%d calls for one change", got)
		}
	})
}

// TestRootsChangeForever returns new roots after each call, which causes one call per
// second.
func TestRootsChangeForever(t *testing.T) {
	t.Parallel()
	calls := 0
	ctx, cancel := context.WithCancel(t.Context())
	began := time.Now()
	watch.Run(ctx, watch.Options{Roots: func() []watch.Root {
		return []watch.Root{{Path: filepath.Join(os.TempDir(), "never", strconv.Itoa(calls))}}
	}}, func(context.Context) {
		if calls++; calls == 12 {
			cancel()
		}
	})
	if took := time.Since(began); took < time.Second {
		t.Errorf("%d calls in %v", calls, took)
	}
}

// changing is a signal that is closed at each change, for any number of listeners.
type changing struct {
	mu   sync.Mutex
	next chan struct{}
}

func (c *changing) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = make(chan struct{})
	}
	return c.next
}

func (c *changing) change() {
	c.Changed()
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.next)
	c.next = nil
}

// never is a signal that does not change.
type never struct{}

func (never) Changed() <-chan struct{} { return nil }

// TestSignals checks that two listeners notice changes of signals.
func TestSignals(t *testing.T) {
	eachMode(t, func(t *testing.T, opts watch.Options) {
		bell, signal := watch.NewBell(), new(changing)
		with, without := opts, opts
		with.Signals, without.Signals = []watch.Signal{never{}, bell, signal}, []watch.Signal{signal}
		r, other := read(t, with), read(t, without)
		for range 3 {
			for _, cause := range []func(){bell.Ring, signal.change} {
				before := r.count()
				cause()
				r.untilCalls(before + 1)
			}
		}
		before := other.count()
		signal.change()
		other.untilCalls(before + 1)
	})
}

func (r *reader) untilCalls(n int) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); r.count() < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("waited for %d calls, have %d", n, r.count())
		}
	}
}

// TestNothingIsLost changes files while they are read.
func TestNothingIsLost(t *testing.T) {
	eachMode(t, func(t *testing.T, opts watch.Options) {
		dir := t.TempDir()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		signal := new(changing)
		opts.Roots = func() []watch.Root { return []watch.Root{{Path: dir}} }
		opts.Signals = []watch.Signal{signal}
		calls, last := 0, filepath.Join(dir, "sub/sub/last")
		watch.Run(ctx, opts, func(context.Context) {
			_, err := os.Stat(last)
			switch calls++; {
			case calls == 1:
				signal.change()
			case calls == 2:
				write(t, last, "")
			case err == nil:
				cancel()
			}
		})
		if err := ctx.Err(); err != context.Canceled {
			t.Error(err)
		}
	})
}

// TestBurst writes many files at once: there are few calls, and no change is
// lost.
func TestBurst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := read(t, watch.Options{Settle: 100 * time.Millisecond}, watch.Root{Path: dir})
	r.untilCalls(1)
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprintf("B%02d", i))
		write(t, filepath.Join(dir, want[i]), want[i])
	}
	r.eventually(strings.Join(want, " "))
	if calls := r.count(); calls > 4 {
		t.Errorf("a burst of 50 files made %d calls", calls-1)
	}
}

// TestConstantStream never stops writing.
func TestConstantStream(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "A")
	r := read(t, watch.Options{Settle: 50 * time.Millisecond}, watch.Root{Path: dir})
	r.eventually("A")
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				_ = os.WriteFile(filepath.Join(dir, "noise"), fmt.Append(nil, i), 0o600)
			}
		}
	})
	write(t, filepath.Join(dir, "a"), "B")
	r.until("B", func(seen string) bool { return strings.HasPrefix(seen, "B ") })
	close(stop)
	writer.Wait()
}

// TestIgnores writes files that do not matter: hidden ones, those with another suffix,
// and those outside of the roots.
func TestIgnores(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "root/a.txt"), "A")
	write(t, filepath.Join(dir, "root/.git/a.txt"), "A")
	write(t, filepath.Join(dir, "file"), "F")
	r := read(t, watch.Options{Settle: time.Millisecond},
		watch.Root{Path: filepath.Join(dir, "root"), Suffix: ".txt"}, watch.Root{Path: filepath.Join(dir, "file")})
	r.eventually("A F")
	before := r.count()
	for _, name := range []string{"root/notes.md", "root/.hidden.txt", "root/.git/a.txt", "root/.git/b.txt", "outside.txt", "file~"} {
		write(t, filepath.Join(dir, name), "x")
	}
	write(t, filepath.Join(dir, "root/b.txt"), "B")
	r.eventually("A B F")
	if calls := r.count() - before; calls > 2 {
		t.Errorf("%d calls", calls)
	}
}

// TestHiddenRoot watches a hidden folder that is a root.
func TestHiddenRoot(t *testing.T) {
	eachMode(t, func(t *testing.T, opts watch.Options) {
		dir := t.TempDir()
		r := read(t, opts, watch.Root{Path: filepath.Join(dir, ".rules.yaml")}, watch.Root{Path: filepath.Join(dir, ".folder")})
		write(t, filepath.Join(dir, ".rules.yaml"), "R")
		r.eventually("R")
		write(t, filepath.Join(dir, ".folder/a"), "A")
		r.eventually("R A")
		write(t, filepath.Join(dir, ".rules.yaml"), "S")
		r.eventually("S A")
	})
}

// TestNoAccess watches a folder that cannot be read at first.
func TestNoAccess(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	eachMode(t, func(t *testing.T, opts watch.Options) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "closed/a"), "A")
		write(t, filepath.Join(dir, "open"), "O")
		must(t, os.Chmod(filepath.Join(dir, "closed"), 0))
		r := read(t, opts, watch.Root{Path: dir})
		r.eventually("O")
		must(t, os.Chmod(filepath.Join(dir, "closed"), 0o700))
		write(t, filepath.Join(dir, "open"), "P")
		r.eventually("A P")
		write(t, filepath.Join(dir, "closed/a"), "B")
		r.eventually("B P")
	})
}

// TestNothing checks that Run ends with its context if there is nothing to
// watch.
func TestNothing(t *testing.T) {
	for name, opts := range modes {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		watch.Run(ctx, opts, func(context.Context) { calls++; cancel() })
		if calls != 1 {
			t.Errorf("%s: %d calls", name, calls)
		}
	}
}

func write(t testing.TB, path, content string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(content), 0o644))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
