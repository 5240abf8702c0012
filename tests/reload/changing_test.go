package reload

import (
	"io/fs"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// changingFS is a file system in memory that reports its changes.
type changingFS struct {
	mu    sync.Mutex
	files fstest.MapFS
	next  chan struct{}
}

func newChangingFS(files map[string]string) *changingFS {
	c := &changingFS{next: make(chan struct{})}
	c.set(files)
	return c
}

func (c *changingFS) set(files map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files = make(fstest.MapFS)
	for name, text := range files {
		c.files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	close(c.next)
	c.next = make(chan struct{})
}

func (c *changingFS) Open(name string) (fs.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.files.Open(name)
}

func (c *changingFS) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.next
}

var _ dynserver.ChangingFS = (*changingFS)(nil)

// TestChangingFS has a file system report its changes to two servers, which have a
// folder as well, under notifications and polling.
func TestChangingFS(t *testing.T) {
	t.Parallel()
	fsys := newChangingFS(map[string]string{"a.proto": rig.ServiceProto("A")})
	var servers []watched
	for _, poll := range []time.Duration{0, time.Hour} {
		reg := handlers.NewRegistry()
		rig.AnswerAll(reg)
		servers = append(servers, watched{rig.Local(t, dynserver.Config{
			Sources:  []dynserver.Source{dynserver.FS("changing", fsys), dynserver.Path(t.TempDir())},
			Handlers: reg, Watch: true, WatchPoll: poll, RemoveAfter: -1,
		}), t, ""})
	}
	for _, name := range []string{"A", "B", "C"} {
		fsys.set(map[string]string{"a.proto": rig.ServiceProto(name)})
		for _, w := range servers {
			w.want(name)
		}
	}
}
