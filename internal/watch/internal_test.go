package watch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// TestFallsBack checks that Run polls if the operating system refuses notifications,
// at the start or when folders move, and if there are too many folders.
func TestFallsBack(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(w *watcher, n int) error{
		"at once":  func(*watcher, int) error { return syscall.EMFILE },
		"later":    func(_ *watcher, n int) error { return errIf(n > 0, syscall.EMFILE) },
		"too many": func(w *watcher, n int) error { w.maxWatched = 3 - n; return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			late := filepath.Join(dir, "sub/late")
			var log bytes.Buffer
			w := newWatcher(Options{
				Roots: func() []Root { return []Root{{Path: dir}} }, Settle: time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil)),
			})
			n := 0
			w.newEvents = func() (*fsnotify.Watcher, error) {
				defer func() { n++ }()
				if err := refuse(w, n); err != nil {
					return nil, err
				}
				return fsnotify.NewWatcher()
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			calls := 0
			w.run(ctx, func(context.Context) {
				calls++
				if _, err := os.Stat(late); err == nil {
					cancel()
				} else if calls == 1 {
					put(t, late)
				}
			})
			if !errors.Is(ctx.Err(), context.Canceled) {
				t.Error("the file was not seen")
			}
			if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "cannot watch") {
				t.Errorf("log: %s", log.String())
			}
		})
	}
}

func errIf(is bool, err error) error {
	if is {
		return err
	}
	return nil
}

// TestSwapsArePolled drops all notifications of a folder whose links are
// swapped.
func TestSwapsArePolled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	swap := func(version string) {
		put(t, filepath.Join(dir, version, "a"))
		next := filepath.Join(dir, "..tmp")
		if err := errors.Join(os.Symlink(version, next), os.Rename(next, filepath.Join(dir, "..data"))); err != nil {
			t.Fatal(err)
		}
	}
	swap("..1")
	if err := os.Symlink("..data/a", filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	w := newWatcher(Options{Roots: func() []Root { return []Root{{Path: dir}} }, Settle: time.Millisecond})
	w.swapPoll = time.Millisecond
	w.newEvents = func() (*fsnotify.Watcher, error) {
		events, err := fsnotify.NewWatcher()
		if err == nil {
			events.Events = nil
		}
		return events, err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	calls := 0
	w.run(ctx, func(context.Context) {
		if calls++; calls == 3 {
			cancel()
			return
		}
		swap(fmt.Sprint("..", calls+1))
	})
	if calls != 3 {
		t.Errorf("%d calls", calls)
	}
}

// TestPollTakesATenth checks that the pauses grow with the duration of polls.
func TestPollTakesATenth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bell := NewBell()
		p := &poller{watcher: newWatcher(Options{Poll: time.Second, Signals: []Signal{bell}})}
		p.signals.arm()
		for took, want := range map[time.Duration]time.Duration{0: time.Second, time.Millisecond: time.Second, time.Minute: 10 * time.Minute} {
			p.seen.took = took
			began := time.Now()
			if p.pause(t.Context()) || time.Since(began) != want {
				t.Errorf("a look took %v, the pause %v", took, time.Since(began))
			}
		}
		bell.Ring()
		if !p.pause(t.Context()) {
			t.Error("the signal did not end the pause")
		}
	})
}

// TestLookIsCut cancels a poll that takes too long, which counts as a change.
func TestLookIsCut(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	first := look(ctx, []Root{{Path: t.TempDir()}})
	if !first.cut || !first.differs(first) {
		t.Errorf("got %+v", first)
	}
}

func put(t *testing.T, path string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
}
