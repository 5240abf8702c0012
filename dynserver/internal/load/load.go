// Package load makes generations: it reads the sources, asks the providers, and
// binds handlers to methods. It needs no listener and no server.
package load

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/schema"
	"github.com/dyngate/dyngate/internal/watch"
)

// Options say what a [Loader] loads.
type Options struct {
	Schema          schema.Options
	Providers       []handlers.Provider
	Own             []*handlers.Registration // see dispatch.Builder
	RequireHandlers bool
	Log             *slog.Logger
}

// Loader makes one generation after another. It must be released. Its methods are
// not safe for concurrent use, Signals excepted.
type Loader struct {
	compiler  *schema.Compiler
	builder   dispatch.Builder
	providers []handlers.Provider
	leases    []*dispatch.Lease // one for each provider; nil before the first load
}

// New returns a Loader. It reads nothing yet.
func New(opts Options) *Loader {
	return &Loader{
		compiler:  schema.New(opts.Schema),
		builder:   dispatch.Builder{Log: opts.Log, RequireHandlers: opts.RequireHandlers, Own: opts.Own},
		providers: opts.Providers,
	}
}

// Load reads the sources, loads the providers, and builds the generation after prev,
// which is nil or empty at first. The result is pinned once. Files that changed within
// the last settling time may be half written: see dispatch.Input.
//
// The diagnostics are sorted. Load returns an error if a source cannot be read at all,
// or if ctx ends.
func (l *Loader) Load(
	ctx context.Context, prev *dispatch.Generation, middleware []handlers.Middleware, settling time.Duration,
) (*dispatch.Generation, []*diag.Diagnostic, error) {
	snap, err := l.compiler.Compile(ctx)
	if err != nil {
		return nil, nil, err
	}
	problems := l.loadAll(ctx)
	now, diags := l.builder.Build(prev, dispatch.Input{
		Snapshot: snap, Leases: l.leases, Middleware: middleware, Since: time.Now().Add(-settling),
	})
	return now, diag.Sort(slices.Concat(problems, diags, unmatched(now))), nil
}

// Roots returns the files and folders that the last Load read.
func (l *Loader) Roots() []watch.Root {
	roots := l.compiler.Roots()
	for _, p := range l.providers {
		for _, path := range l.filesOf(p) {
			roots = append(roots, watch.Root{Path: path})
		}
	}
	return roots
}

// filesOf returns the files of a provider. There are none if it panics.
func (l *Loader) filesOf(p handlers.Provider) (files []string) {
	defer func() {
		if v := recover(); v != nil {
			l.builder.Log.Error("the files of a provider are not watched: Files panicked", "provider", p.Name(), "panic", v)
		}
	}()
	return p.Files()
}

// Signals returns what reports changes that no file shows.
func (l *Loader) Signals() []watch.Signal { return l.compiler.Signals() }

// Release releases what the providers have loaded. What a generation still needs is
// released when that generation ends.
func (l *Loader) Release() {
	for _, lease := range l.leases {
		lease.Release()
	}
	l.leases = nil
}

// loadAll loads all providers.
func (l *Loader) loadAll(ctx context.Context) (problems []*diag.Diagnostic) {
	first := l.leases == nil
	for i, p := range l.providers {
		answers, diags := loadOne(ctx, p)
		problems = append(problems, diags...)
		switch {
		case first:
			l.leases = append(l.leases, dispatch.NewLease(answers))
		case answers != nil && slices.Equal(answers.Registrations(), l.leases[i].Answers().Registrations()):
			answers.Release() // nothing has changed
		case answers != nil:
			l.leases[i].Release()
			l.leases[i] = dispatch.NewLease(answers)
		}
	}
	return problems
}

// loadOne loads one provider. A panic is reported as an error.
func loadOne(ctx context.Context, p handlers.Provider) (answers handlers.Answers, diags []*diag.Diagnostic) {
	defer func() {
		if v := recover(); v != nil {
			answers, diags = nil, []*diag.Diagnostic{diag.New(diag.Error, diag.Position{}, "loading %s panicked: %v", p.Name(), v)}
		}
	}()
	return p.Load(ctx)
}
