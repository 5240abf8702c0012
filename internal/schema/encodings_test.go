package schema

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
)

// snapshotOf compiles n small files.
func snapshotOf(t *testing.T, n int) *Snapshot {
	t.Helper()
	fsys := make(fstest.MapFS)
	for i := range n {
		fsys[fmt.Sprintf("f%d.proto", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "syntax = \"proto3\"; package p%d; message M {}", i)}
	}
	s, err := New(Options{Sources: []Source{FS("test", fsys)}}).Compile(t.Context())
	if err != nil || len(s.Errors()) > 0 || len(s.Files()) != n {
		t.Fatal(err, s.Errors())
	}
	return s
}

func encodeAll(t *testing.T, s *Snapshot, e *encodings) {
	t.Helper()
	for _, f := range s.Files() {
		if content, err := e.encode(t.Context(), f); len(content) == 0 || err != nil {
			t.Errorf("%s is encoded as %q, %v", f.Path(), content, err)
		}
	}
}

func TestEncodingsAreBoundedAndFollowSnapshots(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, 40)
	e := newEncodings()
	encodeAll(t, s, e)
	all := e.size
	if len(e.kept) != 40 {
		t.Errorf("%d of 40 files are kept", len(e.kept))
	}
	file := s.Files()[0]
	first, _ := e.encode(t.Context(), file)
	again, _ := e.encode(t.Context(), file)
	if &first[0] != &again[0] {
		t.Error("a file is encoded again")
	}

	e = newEncodings()
	e.limit = all / 2
	for range 3 {
		if encodeAll(t, s, e); e.size > e.limit || e.size < e.limit/2 {
			t.Errorf("%d bytes are kept, of %d", e.size, e.limit)
		}
	}
	e.prune(snapshotOf(t, 40)) // other files of the same names
	if e.size != 0 || len(e.kept) != 0 {
		t.Errorf("%d bytes of %d old files are kept", e.size, len(e.kept))
	}
	e.limit = 1
	if encodeAll(t, s, e); e.size != 0 {
		t.Errorf("%d bytes are kept of files that are too large", e.size)
	}
	e.timer.Stop()
}

func keptBy(e *encodings) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.kept)
}

func TestEncodingsAreDroppedWhenNobodyAsks(t *testing.T) {
	s := snapshotOf(t, 3)
	synctest.Test(t, func(t *testing.T) {
		e := newEncodings()
		encodeAll(t, s, e)
		for range 5 {
			time.Sleep(encodingsTime - time.Second)
			encodeAll(t, s, e)
		}
		if n := keptBy(e); n != 3 {
			t.Errorf("%d files are kept while somebody asks", n)
		}
		time.Sleep(2 * encodingsTime)
		synctest.Wait()
		if n := keptBy(e); n != 0 {
			t.Errorf("%d files are cached after a time without use", n)
		}
		encodeAll(t, s, e)
		if n := keptBy(e); n != 3 {
			t.Errorf("%d files are kept after that", n)
		}
		time.Sleep(3 * encodingsTime)
	})
}

func TestEncodingWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, 1)
	e := newEncodings()
	for range cap(e.slots) {
		e.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.encode(ctx, s.Files()[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
