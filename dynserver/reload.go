package dynserver

import (
	"context"
	"slices"
	"time"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
)

// Reload reads the sources again, loads the providers, and serves the result: new
// calls use it at once, calls in progress end on the version in which they began.
// Services that have errors keep their last good version and are reported. Reload
// returns an error if the sources cannot be read or ctx ends; nothing has changed
// then. Reloads run one after another. After Shutdown, Reload does nothing.
func (s *Server) Reload(ctx context.Context) (Report, error) {
	if err := s.lock(ctx); err != nil {
		return Report{Generation: s.current.Load().Number}, err
	}
	defer s.unlock()
	before := s.loader.Roots()
	report, _, err := s.reloadLocked(ctx, 0)
	if !slices.Equal(before, s.loader.Roots()) {
		s.rootsChanged.Ring()
	}
	return report, err
}

// lock waits for the load in progress, but not longer than ctx.
func (s *Server) lock(ctx context.Context) error {
	select {
	case s.loading <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// lockAlways is lock without an end.
func (s *Server) lockAlways() { s.loading <- struct{}{} }

func (s *Server) unlock() { <-s.loading }

// SetMiddleware replaces Config.Middleware at the next reload. Calls in progress
// keep the middleware in which they began. SetMiddleware waits for a reload in
// progress, so Config.OnReload must not call it.
func (s *Server) SetMiddleware(middleware ...handlers.Middleware) {
	s.lockAlways()
	defer s.unlock()
	s.middleware = slices.Clone(middleware)
}

// reload is Reload, but assumes that files which changed within the last settling
// time may be half written. If services are kept for that reason, leaving is the time
// at which the first of their files changed.
func (s *Server) reload(ctx context.Context, settling time.Duration) (_ Report, leaving time.Time, _ error) {
	if err := s.lock(ctx); err != nil {
		return Report{Generation: s.current.Load().Number}, time.Time{}, err
	}
	defer s.unlock()
	return s.reloadLocked(ctx, settling)
}

func (s *Server) reloadLocked(ctx context.Context, settling time.Duration) (_ Report, leaving time.Time, _ error) {
	start := time.Now()
	old := s.current.Load()
	if s.closing.Err() != nil {
		return Report{Generation: old.Number}, time.Time{}, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)() // a shutdown does not wait for a load that hangs
	now, diags, err := s.loader.Load(ctx, old, s.middleware, settling)
	switch {
	case err != nil && s.closing.Err() != nil:
		return Report{Generation: old.Number}, time.Time{}, nil
	case err != nil:
		return Report{Generation: old.Number}, time.Time{}, err
	}
	leaving = now.Leaving
	if s.config.StrictReload && (diag.HasErrors(diags) || !leaving.IsZero()) {
		if diag.HasErrors(diags) {
			leaving = time.Time{}
		}
		now.Unpin()
		now = old
	}
	report := s.adopt(old, now, diags, start)
	report.HeldBack = now == old
	if report.Applied || len(report.New) > 0 || len(report.Fixed) > 0 {
		s.config.OnReload(report)
	}
	return report, leaving, nil
}

// lastDiagnostics returns the diagnostics of the last load.
func (s *Server) lastDiagnostics() []*diag.Diagnostic {
	s.lockAlways()
	defer s.unlock()
	return s.diagnostics
}

// adopt makes now the current generation, unless it equals old, and reports what
// changed.
func (s *Server) adopt(old, now *dispatch.Generation, diags []*diag.Diagnostic, start time.Time) Report {
	report := Report{Generation: old.Number, Diagnostics: diags, New: newOnes(diags, s.diagnostics), Fixed: fixedOnes(diags, s.diagnostics)}
	s.diagnostics = diags
	report.compare(old, now)
	switch {
	case now == old:
	case now.Snapshot != old.Snapshot || !slices.Equal(now.Services, old.Services) || !now.SharesMiddleware(old):
		report.Generation, report.Applied = now.Number, true
		s.current.Swap(now)
		s.health.Changed()
	case !now.SharesLeases(old):
		now.Number = old.Number // it is the same for callers, but ends what earlier loads held
		s.current.Swap(now)
	default:
		now.Unpin()
	}
	report.Took = time.Since(start)
	return report
}
