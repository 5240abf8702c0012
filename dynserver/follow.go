package dynserver

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/schema"
	"github.com/dyngate/dyngate/internal/watch"
)

// The times between two attempts of a reload that fails because a file cannot be
// read. Each is twice the one before.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 10 * time.Second

	never = time.Duration(math.MaxInt64)
)

// follow reloads when the sources or the files of the providers change, until ctx
// ends.
func (s *Server) follow(ctx context.Context) {
	f := follower{server: s, again: watch.NewBell()}
	f.timer = time.AfterFunc(never, f.again.Ring)
	defer f.timer.Stop()
	f.schedule(Report{Diagnostics: s.lastDiagnostics()}, time.Time{}, nil)
	watch.Run(ctx, watch.Options{
		Roots:   s.roots,
		Signals: append(s.loader.Signals(), f.again, s.rootsChanged),
		Poll:    s.config.WatchPoll,
		Log:     s.config.Log,
	}, f.reload)
}

// roots returns what the last load read.
func (s *Server) roots() []watch.Root {
	s.lockAlways()
	defer s.unlock()
	return s.loader.Roots()
}

// follower reloads a server whose sources have changed, or may have.
type follower struct {
	server *Server
	again  watch.Bell // rings for what no file will show
	timer  *time.Timer

	retry  time.Duration // the last one; 0 after a success
	failed bool          // the last reload failed, and that was logged
}

// reload reloads, and sets the timer if there will be something to do.
func (f *follower) reload(ctx context.Context) {
	report, leaving, err := f.server.reload(ctx, max(f.server.config.RemoveAfter, 0))
	if ctx.Err() != nil {
		return
	}
	f.log(ctx, err)
	f.schedule(report, leaving, err)
}

// schedule sets the timer to the next attempt after a failure, or to the time when
// a file that has not changed since leaving is no longer taken to be half written,
// whichever comes first.
func (f *follower) schedule(report Report, leaving time.Time, err error) {
	f.timer.Stop()
	next := never
	if schema.IsTransient(err) || slices.ContainsFunc(report.Diagnostics, isTransient) {
		f.retry = min(max(2*f.retry, firstRetry), lastRetry)
		next = f.retry
	} else {
		f.retry = 0
	}
	if !leaving.IsZero() {
		next = min(next, time.Until(leaving.Add(f.server.config.RemoveAfter)))
	}
	if next != never {
		f.timer.Reset(next)
	}
}

// log logs the first of several failures, and the success after them.
func (f *follower) log(ctx context.Context, err error) {
	log := f.server.config.Log
	switch {
	case err == nil && f.failed:
		log.InfoContext(ctx, "reload succeeded again")
	case schema.IsTransient(err) && !f.failed:
		log.ErrorContext(ctx, "reload failed; trying again until it succeeds", "error", err)
	case err != nil && !schema.IsTransient(err):
		log.ErrorContext(ctx, "reload failed", "error", err)
	}
	f.failed = err != nil
}

func isTransient(d *diag.Diagnostic) bool { return d.Transient }
