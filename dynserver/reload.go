package dynserver

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/internal/nearest"
	"github.com/dyngate/dyngate/internal/schema"
)

// Reload reads the sources again and serves what they say now: new calls see
// it at once, calls in progress end on what they began with. Services that
// have errors keep their last good version and are reported. The error is one
// of reading only, or ctx's; nothing has changed then. Reloads run one after
// another.
func (s *Server) Reload(ctx context.Context) (Report, error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	start := time.Now()
	old := s.current.Load()
	snap, err := s.compiler.Compile(ctx)
	if err != nil {
		return Report{Generation: old.Number}, err
	}
	now, diags := s.builder.Build(old, snap)
	report := Report{Generation: old.Number, Diagnostics: diags}
	report.compare(old, now)
	switch {
	case s.config.StrictReload && hasErrors(diags):
		report.Added, report.Changed, report.Removed = nil, nil, nil
	case snap == old.Snapshot && slices.Equal(old.Services, now.Services):
	default:
		report.Generation, report.Applied = now.Number, true
		s.current.Store(now)
		s.health.Changed()
	}
	report.Took = time.Since(start)
	s.announce(ctx, report, snap != old.Snapshot)
	return report, nil
}

// announce logs a reload and tells OnReload, when there is anything to tell.
func (s *Server) announce(ctx context.Context, r Report, read bool) {
	if !r.Applied && !read {
		return
	}
	s.logDiagnostics(ctx, r.Diagnostics)
	level := slog.LevelInfo
	if hasErrors(r.Diagnostics) {
		level = slog.LevelWarn
	}
	s.config.Log.Log(ctx, level, "reloaded", "applied", r.Applied, "generation", r.Generation,
		"added", r.Added, "changed", r.Changed, "removed", r.Removed, "stale", r.Stale, "took", r.Took)
	if s.config.OnReload != nil {
		s.config.OnReload(r)
	}
}

func (s *Server) logDiagnostics(ctx context.Context, diags []*Diagnostic) {
	for _, d := range diags {
		level := slog.LevelWarn
		if d.Severity == schema.Error {
			level = slog.LevelError
		}
		s.config.Log.Log(ctx, level, d.Message, "file", d.Path, "line", d.Line, "column", d.Column)
	}
}

func hasErrors(diags []*Diagnostic) bool {
	return slices.ContainsFunc(diags, func(d *Diagnostic) bool { return d.Severity == schema.Error })
}

// logUnused names registrations that no method matches, since a misspelt one
// would otherwise go unnoticed. It is no error: the method may come with the
// next file.
func (s *Server) logUnused(g *dispatch.Generation) {
	used := make(map[string]bool)
	var known []string
	for _, svc := range g.Services {
		for _, r := range svc.Routes {
			known = append(known, r.Method.Path())
			if r.Registration != nil {
				used[r.Registration.Pattern] = true
			}
		}
	}
	for _, reg := range s.config.Handlers.All() {
		if used[reg.Pattern] {
			continue
		}
		if near := nearest.Names(reg.Pattern, known, 1); len(near) > 0 {
			s.config.Log.Warn("no method matches a handler", "registered", reg.Pattern, "at", reg.Site, "did_you_mean", near[0])
			continue
		}
		s.config.Log.Debug("no method matches a handler", "registered", reg.Pattern, "at", reg.Site)
	}
}
