package dynserver

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/dyngate/dyngate/internal/schema"
)

// The times between two attempts of a reload that fails because something could
// not be read: each is twice the one before.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 10 * time.Second

	never = time.Duration(math.MaxInt64)
)

// follow reloads when the sources change, until ctx ends. A server that cannot
// watch serves on.
func (s *Server) follow(ctx context.Context) {
	f := follower{server: s, again: time.NewTimer(never)}
	defer f.again.Stop()
	f.schedule(Report{Diagnostics: s.lastDiagnostics()}, nil)
	opts := schema.WatchOptions{Poll: s.config.WatchPoll, Again: f.again.C}
	if err := s.compiler.Watch(ctx, opts, f.reload); err != nil && ctx.Err() == nil {
		s.config.Log.ErrorContext(ctx, "the sources are no longer watched", "error", err)
	}
}

// follower reloads a server whose sources have changed, or may have.
type follower struct {
	server *Server
	again  *time.Timer // for what nothing on disk will tell

	retry  time.Duration // the last one; 0 after a success
	failed bool          // the last reload did, and it was logged
}

// reload reloads, and sets the timer if there will be something to do.
func (f *follower) reload(ctx context.Context) {
	report, err := f.server.reload(ctx, max(f.server.config.RemoveAfter, 0))
	if ctx.Err() != nil {
		return
	}
	f.log(ctx, err)
	f.schedule(report, err)
}

// schedule sets the timer to the next attempt after a failure, or to the time when
// services that are leaving go, whichever comes first.
func (f *follower) schedule(report Report, err error) {
	f.again.Stop()
	config := f.server.config
	next := never
	if schema.Passing(err) || slices.ContainsFunc(report.Diagnostics, (*Diagnostic).Passing) {
		f.retry = min(max(2*f.retry, firstRetry), lastRetry)
		next = f.retry
	} else {
		f.retry = 0
	}
	leaving := f.server.current.Load().Leaving
	heldBack := err != nil || config.StrictReload && hasErrors(report.Diagnostics)
	if !leaving.IsZero() && !heldBack {
		next = min(next, time.Until(leaving.Add(config.RemoveAfter)))
	}
	if next != never {
		f.again.Reset(next)
	}
}

// log logs the first of several failures, and the success after them.
func (f *follower) log(ctx context.Context, err error) {
	log := f.server.config.Log
	switch {
	case err == nil && f.failed:
		log.InfoContext(ctx, "reload succeeded again")
	case schema.Passing(err) && !f.failed:
		log.ErrorContext(ctx, "reload failed; trying again until it succeeds", "error", err)
	case err != nil && !schema.Passing(err):
		log.ErrorContext(ctx, "reload failed", "error", err)
	}
	f.failed = err != nil
}
