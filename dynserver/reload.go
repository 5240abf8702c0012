package dynserver

import (
	"context"
	"slices"
	"time"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers/diag"
)

// Reload reads the sources again and serves what they say now: new calls see
// it at once, calls in progress end on what they began with. Services that
// have errors keep their last good version and are reported. The error is one
// of reading only, or ctx's; nothing has changed then. Reloads run one after
// another.
func (s *Server) Reload(ctx context.Context) (Report, error) {
	report, _, err := s.reload(ctx, 0)
	return report, err
}

// reload is Reload, but files that changed in the last settling time are taken
// to be half written. If that holds something back, it returns since when.
func (s *Server) reload(ctx context.Context, settling time.Duration) (_ Report, leaving time.Time, _ error) {
	s.loading.Lock()
	defer s.loading.Unlock()
	start := time.Now()
	old := s.current.Load()
	now, diags, err := s.read(ctx, old, settling)
	if err != nil {
		return Report{Generation: old.Number}, time.Time{}, err
	}
	leaving = now.Leaving
	if s.config.StrictReload && diag.HasErrors(diags) {
		now, leaving = old, time.Time{}
	} else if s.config.StrictReload && !leaving.IsZero() {
		now = old
	}
	report := s.adopt(old, now, diags, start)
	if report.Applied || len(report.New) > 0 {
		s.config.OnReload(report)
	}
	return report, leaving, nil
}

// read builds what the sources say now into the generation after old.
func (s *Server) read(
	ctx context.Context, old *dispatch.Generation, settling time.Duration,
) (*dispatch.Generation, []*diag.Diagnostic, error) {
	snap, err := s.compiler.Compile(ctx)
	if err != nil {
		return nil, nil, err
	}
	now, diags := s.builder.BuildWhileWriting(old, snap, time.Now().Add(-settling))
	return now, diags, nil
}

// lastDiagnostics returns those of the last load.
func (s *Server) lastDiagnostics() []*diag.Diagnostic {
	s.loading.Lock()
	defer s.loading.Unlock()
	return s.diagnostics
}

// adopt serves a generation in the place of old, unless nothing has changed, and
// reports.
func (s *Server) adopt(old, now *dispatch.Generation, diags []*diag.Diagnostic, start time.Time) Report {
	report := Report{Generation: old.Number, Diagnostics: diags, New: newOnes(diags, s.diagnostics)}
	s.diagnostics = diags
	report.compare(old, now)
	if now.Snapshot != old.Snapshot || !slices.Equal(now.Services, old.Services) {
		report.Generation, report.Applied = now.Number, true
		s.current.Store(now)
		s.health.Changed()
	}
	report.Took = time.Since(start)
	return report
}
