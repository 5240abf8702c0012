package schema_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dyngate/dyngate/internal/schema"
	"github.com/dyngate/dyngate/internal/watch"
)

// follow compiles at each change until all steps are done, with notifications and
// with polling. A step begins when the services of the previous one are compiled.
func follow(t *testing.T, steps []step, sources func(dir string) []schema.Source) {
	t.Parallel()
	for name, opts := range map[string]watch.Options{
		"events": {Settle: 5 * time.Millisecond},
		"poll":   {Poll: 5 * time.Millisecond, Settle: 2 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			steps[0].do(dir)
			c := schema.New(schema.Options{Sources: sources(dir)})
			opts.Roots, opts.Signals = c.Roots, c.Signals()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			done, have := 0, ""
			watch.Run(ctx, opts, func(ctx context.Context) {
				s, err := c.Compile(ctx)
				if have = strings.Join(names(s), " "); err != nil {
					have = "error"
				}
				if have != steps[done].want {
					return
				}
				if done++; done == len(steps) {
					cancel()
					return
				}
				steps[done].do(dir)
			})
			if done < len(steps) {
				t.Errorf("step %d: have %q, want %q", done, have, steps[done].want)
			}
		})
	}
}

type step struct {
	do   func(dir string)
	want string // the services
}

func TestWatchFolder(t *testing.T) {
	put := func(name, text string) func(string) {
		return func(dir string) { write(t, filepath.Join(dir, "root", name), text) }
	}
	follow(t, []step{
		{put("a.proto", service("A")), "p.A"},
		{put("a.proto", service("B")), "p.B"},
		{put("sub/deeper/c.proto", service("C")), "p.B p.C"},
		{put("a.proto", "syntax = \"proto3\"; service {"), "p.C"},
		{func(dir string) { must(t, os.RemoveAll(filepath.Join(dir, "root"))) }, "error"},
		{put("d.proto", service("D")), "p.D"},
	}, func(dir string) []schema.Source { return []schema.Source{schema.Path(filepath.Join(dir, "root"))} })
}

// TestWatchOneFile watches a single file and its imports in the same folder.
func TestWatchOneFile(t *testing.T) {
	put := func(name, text string) func(string) {
		return func(dir string) { write(t, filepath.Join(dir, name), text) }
	}
	b := service("B")
	follow(t, []step{
		{put("a.proto", `syntax = "proto3"; import "sub/sub/b.proto"; service A { rpc Do(p.MB) returns (p.MB); }`), ""},
		{put("sub/sub/b.proto", b), "A"},
		{put("sub/sub/b.proto", strings.ReplaceAll(b, "MB", "MX")), ""},
		{put("sub/sub/b.proto", b), "A"},
	}, func(dir string) []schema.Source { return []schema.Source{schema.Path(filepath.Join(dir, "a.proto"))} })
}

// ringing is a file system that reports its changes.
type ringing struct {
	fstest.MapFS
	watch.Bell
}

// TestWatchFileSystem watches a file system that reports its changes.
func TestWatchFileSystem(t *testing.T) {
	t.Parallel()
	fsys := ringing{fstest.MapFS{"a.proto": {Data: []byte(service("A"))}}, watch.NewBell()}
	c := schema.New(schema.Options{Sources: []schema.Source{schema.FS("ringing", fsys)}})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var have []string
	watch.Run(ctx, watch.Options{Roots: c.Roots, Signals: c.Signals()}, func(ctx context.Context) {
		s, err := c.Compile(ctx)
		must(t, err)
		if have = append(have, names(s)...); len(have) > 1 {
			cancel()
		}
		fsys.MapFS["a.proto"].Data = []byte(service("B"))
		fsys.Ring()
	})
	if got := fmt.Sprint(have); got != "[p.A p.B]" {
		t.Error(got)
	}
}
