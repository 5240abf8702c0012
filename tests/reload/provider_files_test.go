package reload

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// ruleFiles is a provider that reads files of rules, one a line: "echo TEXT" answers
// lab.Lab/Echo with TEXT, "unused NAME" answers no method, and "import PATH" reads
// another file, or all files of a folder. Rules that have not changed are the same
// registrations.
type ruleFiles struct {
	mu    sync.Mutex
	main  string
	rules map[string]*handlers.Registration
	files []string
	loads []*rules
}

// rules are those of one load.
type rules struct {
	list     []*handlers.Registration
	released atomic.Int32
}

func (r *rules) Registrations() []*handlers.Registration { return r.list }
func (r *rules) Release()                                { r.released.Add(1) }

func (p *ruleFiles) Name() string { return "rules" }

func (p *ruleFiles) Files() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.files
}

func (p *ruleFiles) Load(context.Context) (handlers.Answers, []*diag.Diagnostic) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.rules
	p.rules, p.files = make(map[string]*handlers.Registration), nil
	p.read(p.main, before)
	load := &rules{list: slices.Collect(maps.Values(p.rules))}
	slices.SortFunc(load.list, func(a, b *handlers.Registration) int { return strings.Compare(a.Pattern, b.Pattern) })
	p.loads = append(p.loads, load)
	return load, nil
}

func (p *ruleFiles) read(path string, before map[string]*handlers.Registration) {
	p.files = append(p.files, path)
	if entries, err := os.ReadDir(path); err == nil {
		for _, e := range entries {
			p.read(filepath.Join(path, e.Name()), before)
		}
		return
	}
	content, _ := os.ReadFile(path)
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSpace(line)
		switch verb, rest, _ := strings.Cut(line, " "); {
		case before[line] != nil:
			p.rules[line] = before[line]
		case verb == "import":
			p.read(filepath.Join(filepath.Dir(p.main), rest), before)
		case verb == "unused":
			p.rules[line] = &handlers.Registration{Pattern: "other." + rest, Implementation: handlers.Unary(lab.HandleEcho)}
		case verb == "echo":
			p.rules[line] = &handlers.Registration{Pattern: "lab.Lab/Echo", Rank: 1, Implementation: handlers.Unary(
				func(context.Context, *lab.Msg) (*lab.Msg, error) { return &lab.Msg{Text: rest}, nil },
			)}
		}
	}
}

func (p *ruleFiles) released() (counts []int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, load := range p.loads {
		counts = append(counts, load.released.Load())
	}
	return counts
}

// awaitEcho waits until Echo answers with this text.
func awaitEcho(t *testing.T, s *rig.Server, want string) {
	t.Helper()
	rig.Eventually(t, "the answer "+want, func() bool {
		out, err := rig.Invoke(rig.Context(t), s.Conn, lab.Echo, rig.Text(1, "nothing"))
		rig.Must(t, err)
		return rig.TextOf(out, 1) == want
	})
}

// TestProviderFiles changes the files of a provider, and which files those are.
func TestProviderFiles(t *testing.T) {
	t.Parallel()
	for name, poll := range map[string]time.Duration{"events": 0, "poll": 10 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := rig.Folder(t, map[string]string{"main.rules": "echo one"})
			p := &ruleFiles{main: filepath.Join(dir, "main.rules")}
			s := lab.Start(t, func(c *dynserver.Config) {
				c.Providers, c.Watch, c.WatchPoll = []handlers.Provider{p}, true, poll
			})
			awaitEcho(t, s, "one")
			rig.Replace(t, p.main, "echo two")
			awaitEcho(t, s, "two")
			rig.Write(t, p.main, "echo import\nimport far/away") // which does not exist
			awaitEcho(t, s, "import")
			rig.Write(t, p.main, "import far/away")
			awaitEcho(t, s, "nothing")
			rig.Write(t, filepath.Join(dir, "far/away/first.rules"), "echo first")
			awaitEcho(t, s, "first")
			rig.Write(t, filepath.Join(dir, "far/away/first.rules"), "import ../elsewhere/other.rules")
			rig.Write(t, filepath.Join(dir, "../elsewhere/other.rules"), "echo other")
			awaitEcho(t, s, "other")
			rig.Must(t, os.RemoveAll(filepath.Join(dir, "far")))
			awaitEcho(t, s, "nothing")

			// A reload that no change of a file brings may have other files, too.
			p.mu.Lock()
			p.main = filepath.Join(t.TempDir(), "new.rules")
			p.mu.Unlock()
			_, err := s.Reload(t.Context())
			rig.Must(t, err)
			rig.Write(t, p.main, "echo new")
			awaitEcho(t, s, "new")
		})
	}
}

// TestProviderIsReleasedThoughNothingUsedChanged adds what answers no method: what the
// load before held is released, and nobody notices.
func TestProviderIsReleasedThoughNothingUsedChanged(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"main.rules": "echo one"})
	p := &ruleFiles{main: filepath.Join(dir, "main.rules")}
	s := lab.Start(t, func(c *dynserver.Config) { c.Providers = []handlers.Provider{p} })
	hold := rig.Open(t.Context(), t, s.Conn, lab.Hold).Send(nil).Done()
	hold.MustRecv()
	before, err := s.Reload(t.Context())
	rig.Must(t, err)
	for i := range 3 {
		rig.Write(t, p.main, fmt.Sprintf("echo one\nunused Service%d", i))
		report, err := s.Reload(t.Context())
		rig.Must(t, err)
		if report.Applied || report.Generation != before.Generation {
			t.Errorf("got %+v", report)
		}
		awaitEcho(t, s, "one")
	}
	if got, want := fmt.Sprint(p.released()), "[0 1 1 1 0]"; got != want {
		t.Errorf("released %s while a call goes on, want %s", got, want)
	}
	rig.Must(t, s.Conn.Close())
	rig.Eventually(t, "the first load to be released", func() bool { return p.released()[0] == 1 })
}
