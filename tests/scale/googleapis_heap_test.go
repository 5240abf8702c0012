package scale

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestGoogleapisHeap edits a file of googleapis many times: old generations must be
// freed. It is not parallel, as it measures the heap of the process.
func TestGoogleapisHeap(t *testing.T) {
	if rig.RaceEnabled {
		t.Skip("the race detector keeps memory of its own")
	}
	const edits, slack = 200, 1.15
	corpus := googleapis(t)
	leaf := rig.Read(t, filepath.Join(corpus, leafFile))
	front := rig.Folder(t, map[string]string{leafFile: leaf})
	s := rig.Local(t, dynserver.Config{Sources: []dynserver.Source{dynserver.Path(front), dynserver.Path(corpus)}})
	var first uint64
	for i := range edits {
		method := fmt.Sprintf("Edit%d", i)
		rig.Write(t, filepath.Join(front, leafFile), withMethod(t, leaf, method))
		report, err := s.Reload(t.Context())
		rig.Must(t, err)
		if !slices.Equal(report.Changed, []string{"google.example.library.v1.LibraryService"}) {
			t.Fatalf("edit %d: %+v", i, report)
		}
		if i == 0 {
			first = heap()
		}
	}
	_, err := rig.Invoke(rig.Context(t), s.Conn, leafService+fmt.Sprintf("Edit%d", edits-1), nil)
	rig.WantText(t, fmt.Sprint(err), "no handler answers it")
	last := heap()
	t.Logf("heap %d MiB after the first edit, %d MiB after %d", first>>20, last>>20, edits)
	if float64(last) > slack*float64(first) {
		t.Errorf("the heap has grown from %d to %d bytes", first, last)
	}
}

// heap returns the bytes in use after a garbage collection. It collects twice, as
// the first only queues finalizers and ages pools.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
