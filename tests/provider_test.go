package tests

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
)

// turns is a provider whose answers are others at each load.
type turns struct {
	mu    sync.Mutex
	loads []*turn
	wrong string // what is wrong with the next loads, which bring nothing then
}

// turn answers Echo with its number, if it is sent "mine", and Hold with its
// number until the caller leaves.
type turn struct {
	number   int
	regs     []*handlers.Registration
	released atomic.Int32
}

func (p *turns) Name() string { return "turns" }

func (p *turns) Files() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wrong == "panic" {
		panic("another mistake")
	}
	return nil
}

func (p *turns) Load(context.Context) (handlers.Answers, []*diag.Diagnostic) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := diag.Position{Path: "turns.yaml", Line: 3, Column: 7}
	if p.wrong == "panic" {
		panic("a secret mistake")
	}
	if p.wrong != "" {
		return nil, []*diag.Diagnostic{diag.New(diag.Error, at, "%s", p.wrong)}
	}
	a := &turn{number: len(p.loads)}
	a.regs = []*handlers.Registration{
		{Pattern: "lab.Lab/Echo", Rank: 1, Position: at, Implementation: handlers.Unary(a.echo), MayDecline: true},
		{Pattern: "lab.Lab/Hold", Rank: 1, Position: at, Implementation: handlers.ServerStream(a.hold)},
	}
	p.loads = append(p.loads, a)
	return a, nil
}

func (p *turns) fail(wrong string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wrong = wrong
}

func (p *turns) all() []*turn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.loads)
}

func (a *turn) Registrations() []*handlers.Registration { return a.regs }
func (a *turn) Release()                                { a.released.Add(1) }

func (a *turn) echo(_ context.Context, in *labMsg) (*labMsg, error) {
	if in.Text != "mine" {
		return nil, handlers.ErrDeclined
	}
	return a.answer()
}

func (a *turn) hold(ctx context.Context, _ *labMsg) iter.Seq2[*labMsg, error] {
	return func(yield func(*labMsg, error) bool) {
		if yield(a.answer()) {
			<-ctx.Done()
			yield(a.answer())
		}
	}
}

func (a *turn) answer() (*labMsg, error) {
	if a.released.Load() > 0 {
		return nil, errors.New("it was released before")
	}
	return &labMsg{Text: fmt.Sprint("turn ", a.number)}, nil
}

// TestProviderUnderLoad changes registrations while they are called: no call
// fails, and each load is released once, when nothing can use it any more.
func TestProviderUnderLoad(t *testing.T) {
	t.Parallel()
	p := new(turns)
	s := startLab(t, func(c *dynserver.Config) { c.Providers = []handlers.Provider{p} })
	mine := startLoad(t, s.conn, labEcho, text(1, "mine"), func(out []byte) bool { return strings.HasPrefix(textOf(out, 1), "turn ") })
	others := startLoad(t, s.conn, labEcho, text(1, "yours"), func(out []byte) bool { return textOf(out, 1) == "yours" })
	ctx, leave := context.WithCancel(timeout(t))
	defer leave()
	held := open(ctx, t, s.conn, labHold).send(nil).done()
	if got := textOf(held.mustRecv(), 1); got != "turn 0" {
		t.Errorf("held by %q", got)
	}
	for i := range 100 {
		report, err := s.Reload(t.Context())
		must(t, err)
		if !report.Applied || len(report.Changed) != 1 || len(report.Diagnostics) > 0 {
			t.Fatalf("reload %d: %+v", i, report)
		}
		if i%10 == 0 {
			mine.during(t, 10)
		}
	}
	mine.end(t)
	others.end(t)
	loads := p.all()
	last := len(loads) - 1
	for _, a := range loads[1:last] {
		eventually(t, "a load to be released", func() bool { return a.released.Load() == 1 })
	}
	if n := loads[0].released.Load() + loads[last].released.Load(); n != 0 {
		t.Error("what a stream or new calls use was released")
	}
	leave()
	eventually(t, "the first load to be released", func() bool { return loads[0].released.Load() == 1 })
	s.stop()
	<-s.served
	for _, a := range loads {
		if n := a.released.Load(); n != 1 {
			t.Errorf("turn %d was released %d times", a.number, n)
		}
	}
}

// TestProviderFails keeps what was good, and says what is wrong and where.
func TestProviderFails(t *testing.T) {
	t.Parallel()
	p := new(turns)
	s := startLab(t, func(c *dynserver.Config) { c.Providers = []handlers.Provider{p} })
	p.fail("it is stuck")
	report, err := s.Reload(t.Context())
	must(t, err)
	if report.Applied || len(report.New) != 1 || report.New[0].Error() != "turns.yaml:3:7: it is stuck" {
		t.Errorf("got %+v", report)
	}
	p.fail("panic")
	report, err = s.Reload(t.Context())
	must(t, err)
	if len(report.New) != 1 || report.New[0].Error() != "loading turns panicked: a secret mistake" {
		t.Errorf("got %+v", report)
	}
	p.fail("it is stuck")
	out, err := invoke(timeout(t), s.conn, labEcho, text(1, "mine"))
	must(t, err)
	if got := textOf(out, 1); got != "turn 0" {
		t.Errorf("answered by %q", got)
	}

	config := protoConfig(t, labProto, registerLab)
	config.Sources = append(config.Sources, dynserver.FS("more", fstest.MapFS{
		"other.proto": {Data: []byte("syntax = \"proto3\"; package other; service Other { rpc Lost(Mesage) returns (Mesage); }")},
	}))
	config.Providers = []handlers.Provider{p}
	config.Handlers.Handle("lab.Lab/Nobodi", handlers.Unary(labEchoes))
	config.Handlers.Handle("lab.**.x", handlers.Unary(labEchoes))
	_, err = newServer(t, config)
	contains(t, errText(err), "turns.yaml:3:7", "it is stuck", "Mesage", "lab.**.x", "provider_test.go:",
		`no method matches "lab.Lab/Nobodi"; did you mean lab.Lab/Nobody?`, "4 errors, 1 warning")
}

// TestSetMiddleware changes middleware under load. What was bound stays bound.
func TestSetMiddleware(t *testing.T) {
	t.Parallel()
	var bound atomic.Int32
	config := protoConfig(t, labProto, func(reg *handlers.Registry) {
		reg.Handle("lab.Lab/Echo", handlers.ImplementationFunc(func(m *handlers.Method) (handlers.Handler, error) {
			bound.Add(1)
			return handlers.Unary(labEchoes).Bind(m)
		}))
	})
	s := startLocal(t, config)
	load := startLoad(t, s.conn, labEcho, text(1, "x"), func(out []byte) bool { return textOf(out, 1) == "x" })
	for i := range 20 {
		name := fmt.Sprint("middleware ", i)
		s.SetMiddleware(func(next handlers.Handler) handlers.Handler {
			return handlers.HandlerFunc(func(ctx context.Context, call handlers.Call) error {
				return errors.Join(call.SetHeader(metadata.Pairs("by", name)), next.ServeRPC(ctx, call))
			})
		})
		report, err := s.Reload(t.Context())
		must(t, err)
		if !report.Applied || len(report.Changed) > 0 {
			t.Errorf("got %+v", report)
		}
		var header metadata.MD
		_, err = invoke(timeout(t), s.conn, labEcho, text(1, "x"), grpc.Header(&header))
		must(t, err)
		if got := header.Get("by"); !slices.Equal(got, []string{name}) {
			t.Errorf("called through %q, want %q", got, name)
		}
	}
	load.end(t)
	if bound.Load() != 1 {
		t.Errorf("it was bound %d times", bound.Load())
	}
}

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
			p.rules[line] = &handlers.Registration{Pattern: "other." + rest, Implementation: handlers.Unary(labEchoes)}
		case verb == "echo":
			p.rules[line] = &handlers.Registration{Pattern: "lab.Lab/Echo", Rank: 1, Implementation: handlers.Unary(
				func(context.Context, *labMsg) (*labMsg, error) { return &labMsg{Text: rest}, nil },
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

// answers waits until Echo is answered so.
func (l *local) answers(t *testing.T, want string) {
	t.Helper()
	eventually(t, "the answer "+want, func() bool {
		out, err := invoke(timeout(t), l.conn, labEcho, text(1, "nothing"))
		must(t, err)
		return textOf(out, 1) == want
	})
}

// TestProviderFiles changes the files of a provider, and which files those are.
func TestProviderFiles(t *testing.T) {
	t.Parallel()
	for name, poll := range map[string]time.Duration{"events": 0, "poll": 10 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, map[string]string{"main.rules": "echo one"})
			p := &ruleFiles{main: filepath.Join(dir, "main.rules")}
			s := startLab(t, func(c *dynserver.Config) {
				c.Providers, c.Watch, c.WatchPoll = []handlers.Provider{p}, true, poll
			})
			s.answers(t, "one")
			replace(t, p.main, "echo two")
			s.answers(t, "two")
			write(t, p.main, "echo import\nimport far/away") // which does not exist
			s.answers(t, "import")
			write(t, p.main, "import far/away")
			s.answers(t, "nothing")
			write(t, filepath.Join(dir, "far/away/first.rules"), "echo first")
			s.answers(t, "first")
			write(t, filepath.Join(dir, "far/away/first.rules"), "import ../elsewhere/other.rules")
			write(t, filepath.Join(dir, "../elsewhere/other.rules"), "echo other")
			s.answers(t, "other")
			must(t, os.RemoveAll(filepath.Join(dir, "far")))
			s.answers(t, "nothing")

			// A reload that no change of a file brings may have other files, too.
			p.mu.Lock()
			p.main = filepath.Join(t.TempDir(), "new.rules")
			p.mu.Unlock()
			_, err := s.Reload(t.Context())
			must(t, err)
			write(t, p.main, "echo new")
			s.answers(t, "new")
		})
	}
}

// TestProviderIsReleasedThoughNothingUsedChanged adds what answers no method: what the
// load before held is released, and nobody notices.
func TestProviderIsReleasedThoughNothingUsedChanged(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"main.rules": "echo one"})
	p := &ruleFiles{main: filepath.Join(dir, "main.rules")}
	s := startLab(t, func(c *dynserver.Config) { c.Providers = []handlers.Provider{p} })
	hold := open(t.Context(), t, s.conn, labHold).send(nil).done()
	hold.mustRecv()
	before, err := s.Reload(t.Context())
	must(t, err)
	for i := range 3 {
		write(t, p.main, fmt.Sprintf("echo one\nunused Service%d", i))
		report, err := s.Reload(t.Context())
		must(t, err)
		if report.Applied || report.Generation != before.Generation {
			t.Errorf("got %+v", report)
		}
		s.answers(t, "one")
	}
	if got, want := fmt.Sprint(p.released()), "[0 1 1 1 0]"; got != want {
		t.Errorf("released %s while a call goes on, want %s", got, want)
	}
	must(t, s.conn.Close())
	eventually(t, "the first load to be released", func() bool { return p.released()[0] == 1 })
}
