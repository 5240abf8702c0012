package dynserver

import (
	"context"
	"slices"
	"time"
)

// Reload reads the sources again and serves what they say now: new calls see
// it at once, calls in progress end on what they began with. Services that
// have errors keep their last good version and are reported. The error is one
// of reading only, or ctx's; nothing has changed then. Reloads run one after
// another.
func (s *Server) Reload(ctx context.Context) (Report, error) {
	s.loading.Lock()
	defer s.loading.Unlock()
	start := time.Now()
	old := s.current.Load()
	snap, err := s.compiler.Compile(ctx)
	if err != nil {
		return Report{Generation: old.Number}, err
	}
	now, diags := s.builder.Build(old, snap)
	report := Report{Generation: old.Number, Diagnostics: diags, New: newOnes(diags, s.diagnostics)}
	s.diagnostics = diags
	if s.config.StrictReload && hasErrors(diags) {
		now = old
	}
	report.compare(old, now)
	if now.Snapshot != old.Snapshot || !slices.Equal(now.Services, old.Services) {
		report.Generation, report.Applied = now.Number, true
		s.current.Store(now)
		s.health.Changed()
	}
	report.Took = time.Since(start)
	if report.Applied || len(report.New) > 0 {
		s.config.OnReload(report)
	}
	return report, nil
}
