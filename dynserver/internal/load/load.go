// Package load makes generations: it reads the sources, asks the providers, and
// binds handlers to methods. It needs no listener and no server.
package load

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/httprule"
	"github.com/dyngate/dyngate/internal/schema"
	"github.com/dyngate/dyngate/internal/watch"
)

// Options say what a [Loader] loads.
type Options struct {
	Schema          schema.Options
	Providers       []handlers.Provider
	Own             []*handlers.Registration // see dispatch.Builder
	RequireHandlers bool
	HTTPRules       []string // service configuration files, besides those in the sources
	Log             *slog.Logger
}

// Loader makes one generation after another. It must be released. Its methods are
// not safe for concurrent use, Signals excepted.
type Loader struct {
	compiler  *schema.Compiler
	builder   dispatch.Builder
	providers []*provider
	rules     ruleFiles
}

// New returns a Loader. It reads nothing yet.
func New(opts Options) *Loader {
	opts.Schema.Companions = httprule.Suffix
	const fileBytes = 8 << 20 // the default of schema.Limits
	limit := cmp.Or(max(opts.Schema.Limits.FileBytes, 0), fileBytes)
	return &Loader{
		compiler:  schema.New(opts.Schema),
		rules:     ruleFiles{explicit: opts.HTTPRules, limit: limit},
		builder:   dispatch.Builder{Log: opts.Log, RequireHandlers: opts.RequireHandlers, Own: opts.Own},
		providers: newProviders(opts.Providers, opts.Log),
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
	problems, err := l.loadAll(ctx)
	if err != nil {
		return nil, nil, err
	}
	config, wrong := l.rules.load(snap.Companions())
	leases := make([]*dispatch.Lease, len(l.providers))
	for i, p := range l.providers {
		leases[i] = p.lease
	}
	now, diags := l.builder.Build(prev, dispatch.Input{
		Snapshot: snap, Leases: leases, Middleware: middleware, HTTP: config, Since: time.Now().Add(-settling),
	})
	return now, diag.Sort(slices.Concat(problems, wrong, diags, unmatched(now), idle(now, config))), nil
}

// Roots returns the files and folders that the last Load read.
func (l *Loader) Roots() []watch.Root {
	roots := l.compiler.Roots()
	for _, p := range l.providers {
		for _, path := range p.files() {
			roots = append(roots, watch.Root{Path: path})
		}
	}
	for _, path := range l.rules.explicit {
		roots = append(roots, watch.Root{Path: path})
	}
	return roots
}

// Signals returns what reports changes that no file shows.
func (l *Loader) Signals() []watch.Signal { return l.compiler.Signals() }

// Release releases what the providers have loaded. What a generation still needs is
// released when that generation ends.
func (l *Loader) Release() {
	for _, p := range l.providers {
		p.release()
	}
}

// loadAll loads all providers. If ctx ends meanwhile nothing has changed.
func (l *Loader) loadAll(ctx context.Context) (problems []*diag.Diagnostic, err error) {
	all := make([]*loaded, len(l.providers))
	for i, p := range l.providers {
		var diags []*diag.Diagnostic
		all[i], diags = p.load(ctx)
		problems = append(problems, diags...)
		if ctx.Err() == nil {
			continue
		}
		for _, now := range all[:i+1] {
			if now != nil {
				now.release()
			}
		}
		return nil, context.Cause(ctx)
	}
	for i, p := range l.providers {
		p.adopt(all[i])
	}
	return problems, nil
}
