package schema

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bufbuild/protocompile/experimental/source"

	"github.com/dyngate/dyngate/internal/watch"
)

// hang makes c's compiler hang on texts that contain a word, until release is called.
func hang(t *testing.T, c *Compiler) (release func()) {
	free := make(chan struct{})
	release = sync.OnceFunc(func() { close(free) })
	t.Cleanup(release)
	c.parseFile = func(path string, text *source.File, lim Limits) parsed {
		if strings.Contains(text.Text(), "HANG") {
			<-free
		}
		return parseText(path, text, lim)
	}
	return release
}

func serviceNames(s *Snapshot) string {
	var names []string
	for _, service := range s.Services() {
		names = append(names, string(service.Desc.FullName()))
	}
	return strings.Join(names, " ")
}

const syntax = "syntax = \"proto3\"; "

// TestOneFileHangs reloads while the compiler hangs on one file: other files are
// updated at once, and that file when the compiler returns.
func TestOneFileHangs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.proto"), syntax+"service A {}")
	put(t, filepath.Join(dir, "b.proto"), syntax+"service B {}")
	c := New(Options{Sources: []Source{Path(dir)}})
	release := hang(t, c)
	if _, err := c.Compile(t.Context()); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "a.proto"), syntax+"service A {} service New {} // HANG")
	put(t, filepath.Join(dir, "b.proto"), syntax+"service B {} service Other {}")
	s, err := c.Compile(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := serviceNames(s); got != "B Other" {
		t.Errorf("services %s", got)
	}
	if broken := s.Broken(); len(broken) != 1 || broken[0].Name != "A" || !strings.Contains(broken[0].Errors[0].Message, "still being compiled") {
		t.Errorf("broken: %v, %v", broken, s.Errors())
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	watch.Run(ctx, watch.Options{Roots: c.Roots, Signals: c.Signals()}, func(ctx context.Context) {
		release()
		if s, err = c.Compile(ctx); err == nil && serviceNames(s) == "A B New Other" {
			cancel()
		}
	})
	if !errors.Is(ctx.Err(), context.Canceled) {
		t.Errorf("error %v; services %s: %v", err, serviceNames(s), s.Errors())
	}
}

// TestCompileEnds ends the context of a Compile that hangs.
func TestCompileEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.proto"), syntax+"service A {} // HANG")
	c := New(Options{Sources: []Source{Path(dir)}})
	release := hang(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := c.Compile(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	release()
	if s, err := c.Compile(t.Context()); err != nil || serviceNames(s) != "A" {
		t.Errorf("afterwards: error %v", err)
	}
}

// TestTooLong abandons files that take too long, and compiles no more files when there
// are too many abandoned ones.
func TestTooLong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range maxRunaways {
		put(t, filepath.Join(dir, fmt.Sprintf("a%d.proto", i)), syntax+"// HANG")
	}
	c := New(Options{Sources: []Source{Path(dir)}, Limits: Limits{CompileTime: 500 * time.Millisecond}})
	release := hang(t, c)
	s, err := c.Compile(t.Context())
	if err != nil || len(s.Errors()) != maxRunaways || !strings.Contains(s.Errors()[0].Message, "takes too long") {
		t.Fatalf("error %v, %v", err, s.Errors())
	}
	put(t, filepath.Join(dir, "b.proto"), syntax+"service B {}")
	if s, err = c.Compile(t.Context()); err != nil || len(s.File("b.proto").Errors()) != 1 || !strings.Contains(s.File("b.proto").Errors()[0].Message, "not compiled") {
		t.Fatalf("error %v, %v", err, s.Errors())
	}
	release()
	for deadline := time.Now().Add(time.Minute); serviceNames(s) != "B"; {
		if s, err = c.Compile(t.Context()); err != nil || time.Now().After(deadline) {
			t.Fatalf("error %v, %v", err, s.Errors())
		}
	}
}
