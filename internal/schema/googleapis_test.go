package schema_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/schema"
	"github.com/dyngate/dyngate/internal/watch"
)

// googleapis returns a checkout of github.com/googleapis/googleapis to measure with.
func googleapis(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("DYNGATE_GOOGLEAPIS")
	if dir == "" {
		t.Skip("DYNGATE_GOOGLEAPIS is not set to a checkout of googleapis")
	}
	return dir
}

// TestGoogleapis compiles the largest public set of schemas without an error.
func TestGoogleapis(t *testing.T) {
	c := schema.New(schema.Options{Sources: []schema.Source{schema.Path(googleapis(t))}})
	s := compile(t, c)
	methods := 0
	for _, service := range s.Services() {
		methods += service.Desc.Methods().Len()
	}
	t.Logf("%d files, %d services, %d methods, %d diagnostics", len(s.Files()), len(s.Services()), methods, len(s.Diagnostics()))
	for _, d := range s.Errors() {
		t.Error(d.Text)
	}
}

// BenchmarkColdStart compiles all of googleapis from nothing.
func BenchmarkColdStart(b *testing.B) {
	dir := googleapis(b)
	for b.Loop() {
		c := schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}})
		compile(b, c)
	}
	b.ReportMetric(float64(peakRSS(b))/(1<<20), "peak-MiB")
}

// BenchmarkReloadLeaf edits a file that no other imports, and compiles again.
func BenchmarkReloadLeaf(b *testing.B) {
	c, edit := withEditableLeaf(b, googleapis(b))
	last := compile(b, c)
	i := 0
	for b.Loop() {
		i++
		edit(i)
		next := compile(b, c)
		if next == last {
			b.Fatal("the edit was not seen")
		}
		last = next
	}
}

// BenchmarkReloadFolder edits one of ten files and waits for the watch to have it compiled.
func BenchmarkReloadFolder(b *testing.B) {
	dir := b.TempDir()
	for i := range 9 {
		write(b, filepath.Join(dir, fmt.Sprintf("s%d.proto", i)), service(fmt.Sprintf("S%d", i)))
	}
	own := filepath.Join(dir, "leaf.proto")
	write(b, own, leaf(0))
	c := schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}})
	compile(b, c)
	done := make(chan *schema.Snapshot)
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() {
		watch.Run(ctx, watch.Options{Roots: c.Roots}, func(ctx context.Context) {
			if s, err := c.Compile(ctx); err == nil {
				select {
				case done <- s:
				case <-ctx.Done():
				}
			}
		})
	})
	time.Sleep(100 * time.Millisecond) // measure only later edits
	i := 0
	for b.Loop() {
		i++
		write(b, own, leaf(i))
		for want := fmt.Sprintf("name_%d", i); ; {
			in := (<-done).File("leaf.proto").Descriptor().Messages().Get(0)
			if in.Fields().ByName(protoreflect.Name(want)) != nil {
				break
			}
		}
	}
	cancel()
	running.Wait()
}

// withEditableLeaf puts a folder with one file in front of dir.
func withEditableLeaf(t testing.TB, dir string) (*schema.Compiler, func(int)) {
	t.Helper()
	own := t.TempDir()
	edit := func(i int) { write(t, filepath.Join(own, "leaf.proto"), leaf(i)) }
	edit(0)
	return schema.New(schema.Options{Sources: []schema.Source{schema.Path(own), schema.Path(dir)}}), edit
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestHeapAfterReloads edits a leaf 200 times: memory must not grow with reloads.
func TestHeapAfterReloads(t *testing.T) {
	c, edit := withEditableLeaf(t, googleapis(t))
	compile(t, c)
	edit(1)
	last := compile(t, c)
	before := heap()
	for i := range 200 {
		edit(i + 2)
		last = compile(t, c)
	}
	after := heap()
	t.Logf("heap after the first reload %d MiB, after 200 more %d MiB", before>>20, after>>20)
	if float64(after) > 1.15*float64(before) {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
	runtime.KeepAlive(last)
}
