package dynserver

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
)

// flaky is a file system that cannot be opened while it fails: not at all, or
// only its files.
type flaky struct {
	fs.FS
	failing, files *atomic.Bool
	opened         *atomic.Int32
}

func (f flaky) Open(name string) (fs.File, error) {
	f.opened.Add(1)
	if f.failing.Load() && (name == "." || f.files.Load()) && (name != ".") == f.files.Load() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EMFILE}
	}
	return f.FS.Open(name)
}

const declares = `syntax = "proto3"; package p; message M {} service `

// following is a server that follows a folder, in a bubble of its own time.
type following struct {
	*Server
	dir string
	log bytes.Buffer
}

func follow(t *testing.T, config Config) *following {
	f := &following{dir: t.TempDir()}
	f.write(t, "a.proto", declares+"A {}")
	config.Sources = append(config.Sources, Path(f.dir))
	config.WatchPoll = 50 * time.Millisecond
	config.Log = slog.New(slog.NewTextHandler(&f.log, nil))
	var err error
	if f.Server, err = New(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	go f.follow(ctx) // ends with ctx
	t.Cleanup(func() {
		stop()
		if err := f.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	f.rest(time.Second)
	return f
}

// rest lets the server do all that it does in that time.
func (f *following) rest(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (f *following) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (f *following) state() string {
	var names []string
	for _, s := range f.Services() {
		name := strings.TrimPrefix(s.Name, "p.")
		if len(s.Stale) > 0 {
			name += "*"
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func (f *following) expect(t *testing.T, want string) {
	t.Helper()
	if got := f.state(); got != want {
		t.Errorf("services %q, want %q; log:\n%s", got, want, f.log.String())
	}
}

// TestReloadIsTriedAgain has a reload fail for a reason that passes, after which
// nothing on disk changes.
func TestReloadIsTriedAgain(t *testing.T) {
	for name, files := range map[string]bool{"source": false, "file": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fsys := flaky{fstest.MapFS{"f.proto": {Data: []byte(declares + "F {}")}}, new(atomic.Bool), new(atomic.Bool), new(atomic.Int32)}
				fsys.files.Store(files)
				f := follow(t, Config{Sources: []Source{FS("flaky", fsys)}})
				f.expect(t, "A F")
				fsys.failing.Store(true)
				f.write(t, "b.proto", declares+"B {}")
				f.rest(5 * time.Minute)
				f.expect(t, map[bool]string{false: "A F", true: "A B F*"}[files])
				before := fsys.opened.Load()
				f.rest(5 * time.Minute)
				if n := fsys.opened.Load() - before; n < 30 || n > 200 {
					t.Errorf("looked %d times in five minutes, want one attempt in ten seconds", n)
				}
				fsys.failing.Store(false)
				f.rest(lastRetry + time.Second)
				f.expect(t, "A B F")
				before = fsys.opened.Load()
				f.rest(5 * time.Minute)
				if n := fsys.opened.Load() - before; n != 0 {
					t.Errorf("looked %d times though there was nothing to do", n)
				}
				log := f.log.String()
				lines := []string{"reload failed; trying again", "reload succeeded again"}
				if files {
					lines = []string{"level=ERROR msg=\"cannot be read: too many open files\"", "recovered=[p.F]"}
				}
				for _, line := range lines {
					if strings.Count(log, line) != 1 {
						t.Errorf("want %q once in the log:\n%s", line, log)
					}
				}
			})
		})
	}
}

// TestRetriesBeginSoon has a failure pass at once.
func TestRetriesBeginSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := follow(t, Config{})
		away := f.dir + ".away"
		if err := os.Rename(f.dir, away); err != nil {
			t.Fatal(err)
		}
		f.rest(50 * time.Millisecond)
		if err := os.Rename(away, f.dir); err != nil {
			t.Fatal(err)
		}
		f.write(t, "a.proto", declares+"A {} service B {}")
		f.rest(time.Second)
		f.expect(t, "A B")
	})
}

// TestServiceIsRemovedWhenItsFileIsQuiet writes a file in pieces, with pauses.
func TestServiceIsRemovedWhenItsFileIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := follow(t, Config{})
		f.write(t, "a.proto", declares+"A {} service B {}")
		f.rest(time.Second)
		f.expect(t, "A B")

		f.write(t, "a.proto", declares+"A {}")
		f.rest(900 * time.Millisecond)
		f.expect(t, "A B*")
		f.write(t, "a.proto", declares+"A {} message Added {}")
		f.rest(900 * time.Millisecond)
		f.expect(t, "A B*")
		f.write(t, "a.proto", declares+"A {} message Added {} service B {} service C {}")
		f.rest(100 * time.Millisecond)
		f.expect(t, "A B C")

		f.write(t, "a.proto", declares+"A {} service D {}")
		f.rest(100 * time.Millisecond)
		f.expect(t, "A B* C* D")
		f.rest(2 * time.Second)
		f.expect(t, "A D")

		f.write(t, "a.proto", declares+"A {}")
		f.rest(100 * time.Millisecond)
		f.expect(t, "A D*")
		if r, err := f.Reload(t.Context()); err != nil || len(r.Removed) != 1 {
			t.Errorf("Reload: %+v, %v", r, err)
		}
		f.expect(t, "A")
		if err := os.Remove(filepath.Join(f.dir, "a.proto")); err != nil {
			t.Fatal(err)
		}
		f.rest(100 * time.Millisecond)
		f.expect(t, "")
		if log := f.log.String(); strings.Count(log, "leaving=[p.D]") != 1 || strings.Count(log, "recovered=[p.B]") != 1 {
			t.Errorf("log:\n%s", log)
		}
	})
}

// TestRemoveAfter sets the time.
func TestRemoveAfter(t *testing.T) {
	for after, want := range map[time.Duration]string{-1: "", time.Minute: "A*"} {
		synctest.Test(t, func(t *testing.T) {
			f := follow(t, Config{RemoveAfter: after})
			f.write(t, "a.proto", `syntax = "proto3";`)
			f.rest(10 * time.Second)
			f.expect(t, want)
			f.rest(time.Minute)
			f.expect(t, "")
		})
	}
}

// TestStrictReloadWaits is all or nothing: what is added waits for what goes. An
// error holds both back, without a look at them again and again.
func TestStrictReloadWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := follow(t, Config{StrictReload: true})
		f.write(t, "a.proto", declares+"B {}")
		f.rest(100 * time.Millisecond)
		f.expect(t, "A")
		f.rest(2 * time.Second)
		f.expect(t, "B")
		f.write(t, "a.proto", declares+"C {}")
		f.write(t, "b.proto", "broken")
		f.rest(5 * time.Minute)
		f.expect(t, "B")
		f.write(t, "b.proto", declares+"D {}")
		f.rest(3 * time.Second)
		f.expect(t, "C D")
		if log := f.log.String(); !strings.Contains(log, "added=[p.B] changed=[] removed=[p.A]") {
			t.Errorf("log:\n%s", log)
		}
	})
}
