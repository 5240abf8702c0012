package schema

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bufbuild/protocompile/experimental/ir"
	"github.com/bufbuild/protocompile/experimental/source"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/watch"
)

// Compiler compiles its sources to snapshots. Each reuses the results of the previous
// one.
type Compiler struct {
	opts Options

	mu      sync.Mutex
	kinds   []sourceKind
	readers []reader // one for each source
	builtin *tree
	nodes   map[string]*node
	last    *Snapshot
	seen    []*input // the served inputs of the last snapshot
	beside  []*input // their companions
	stale   bool     // nodes were built since the last snapshot

	session     *ir.Session
	parsedBytes atomic.Int64 // since the session began
	versions    atomic.Uint64
	encodings   *encodings
	missing     *rootFinder  // of this Compile
	read        atomic.Int64 // files, by this Compile

	parseFile func(path string, text *source.File, lim Limits) parsed

	patience time.Duration // how long the current Compile waits for one file
	late     watch.Bell    // rings when a file that no Compile waited for is compiled

	tasks    sync.Mutex
	runaways []<-chan struct{} // closed when a task that was abandoned ends
}

// New returns a compiler of these sources. Nothing is read before Compile.
func New(opts Options) *Compiler {
	opts = opts.withDefaults()
	return &Compiler{
		opts:    opts,
		kinds:   make([]sourceKind, len(opts.Sources)),
		readers: make([]reader, len(opts.Sources)),
		builtin: newBuiltin(),
		session: new(ir.Session),

		encodings: newEncodings(),

		parseFile: parseText,
		late:      watch.NewBell(),
	}
}

// Compile reads the changes since the last call and returns a new snapshot, or
// the last one if nothing changed.
//
// It returns an error if ctx ends, or if a source cannot be read at all (for example because its
// folder was removed). The problems of schemas are in the snapshot instead. After an error the last
// snapshot remains valid, and the next call tries again.
//
// Except in the first call, a file that takes longer than a second to compile does not delay the
// others: it has an error until it is compiled, which one of Signals reports.
//
// Concurrent calls run one after the other.
func (c *Compiler) Compile(ctx context.Context) (*Snapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.patience = c.opts.Limits.CompileTime; c.last != nil {
		c.patience = min(c.patience, fileTime)
	}
	if err := c.refresh(ctx); err != nil {
		return nil, err
	}
	c.missing = &rootFinder{sources: c.opts.Sources}
	c.read.Store(0)
	served, beside, found := c.collect()
	c.renewSession()
	g, err := c.discover(ctx, served)
	if err != nil {
		return nil, err
	}
	touched := slices.DeleteFunc(slices.Clone(g.order), func(n *node) bool { return !n.touched })
	c.nodes = g.nodes
	if len(touched) == 0 && !c.stale && c.last != nil && slices.Equal(c.seen, served) && slices.Equal(c.beside, beside) &&
		sameDiagnostics(c.last.sources, found) {
		return c.last, nil
	}
	c.stale = true
	var built atomic.Int64
	err = inOrder(ctx, touched, g.needs, func(n *node) {
		c.build(ctx, n, g)
		c.opts.Progress(int(built.Add(1)), len(touched))
	})
	if err != nil {
		return nil, err
	}
	c.last, c.seen, c.beside, c.stale = assemble(g, found, c.setTimes(), c.last), served, beside, false
	c.last.companions = companionsOf(beside)
	c.encodings.prune(c.last)
	return c.last, nil
}

// refresh updates the readers.
func (c *Compiler) refresh(ctx context.Context) error {
	for i, s := range c.opts.Sources {
		kind, err := s.kind()
		if err != nil {
			return fmt.Errorf("schema source %s: %w", s, err)
		}
		if c.readers[i] == nil || c.kinds[i] != kind {
			c.readers[i], c.kinds[i] = s.open(kind, c.opts.Companions), kind
		}
		if err := c.readers[i].refresh(ctx, c.opts.Limits); err != nil {
			return fmt.Errorf("schema source %s: %w", s, err)
		}
	}
	return c.builtin.refresh(ctx, Limits{}.withDefaults())
}

// resolve returns the input with an import path, or nil.
func (c *Compiler) resolve(path string) *input {
	if path == descriptorPath {
		return c.builtin.open(path)
	}
	for _, r := range c.readers {
		if in := r.open(path); in != nil {
			return in
		}
	}
	return c.builtin.open(path)
}

// collect returns the files to serve, sorted by path, their companions, and the problems
// of the sources. If several sources have a path, the first takes precedence.
func (c *Compiler) collect() (served, beside []*input, found []*diag.Diagnostic) {
	winner := make(map[string]*input)
	for _, r := range c.readers {
		found = append(found, r.problems()...)
		beside = append(beside, r.beside()...)
		for _, in := range r.served() {
			switch first := winner[in.path]; {
			case first == nil:
				winner[in.path] = in
				served = append(served, in)
			case first.location != in.location:
				found = append(found, plain(diag.Warning, in.location,
					"%q is also in an earlier source; %s is used, this file is not", in.path, first.location))
			}
		}
	}
	slices.SortFunc(served, func(a, b *input) int { return strings.Compare(a.path, b.path) })
	return served, beside, found
}

// renewSession starts a new compiler session when most names in the table of the old one may be
// unused. The table only grows.
func (c *Compiler) renewSession() {
	const floor = 64 << 20
	var size int64
	for _, n := range c.nodes {
		if n.in.text != nil {
			size += int64(len(n.in.text.Text()))
		}
	}
	if c.parsedBytes.Load() <= max(floor, 3*size) {
		return
	}
	c.session = new(ir.Session)
	c.parsedBytes.Store(size)
	for _, n := range c.nodes {
		n.dirty = true
	}
}

func sameDiagnostics(a, b []*diag.Diagnostic) bool {
	return slices.EqualFunc(a, b, func(a, b *diag.Diagnostic) bool { return *a == *b })
}
