// Package watch reports that files have changed: by notifications of the
// operating system, by polling where these do not work, and by signals for
// everything that is not a file of the operating system.
//
// It reports that something changed, but not what. Its callers read all their
// files again, which may also change the list of files to watch:
//
//	watch.Run(ctx, watch.Options{
//		Roots: func() []watch.Root { return config.Files() },
//	}, func(ctx context.Context) { config.Load(ctx) })
package watch

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Root is a file, or a folder with everything below it. It may appear, disappear,
// or be replaced at any time. Links are followed.
type Root struct {
	Path string

	// Suffix selects the files of a folder by the end of their names, ".json" for
	// example. Empty selects all. Names that begin with a dot are hidden: such files
	// and folders never matter, unless a root or a link leads to them.
	Suffix string
}

// Signal reports changes by itself.
type Signal interface {
	// Changed returns a channel that is closed, or delivers a value, at the next
	// change. Run calls it before each call of changed, so no later change is
	// lost. Nil means that there will be no change.
	Changed() <-chan struct{}
}

// Bell is a [Signal] for changes inside the program.
type Bell chan struct{}

// NewBell returns a Bell.
func NewBell() Bell { return make(Bell, 1) }

// Ring reports a change. It does not block.
func (b Bell) Ring() {
	select {
	case b <- struct{}{}:
	default: // already ringing
	}
}

// Changed implements [Signal]. Only one Run at a time may use it.
func (b Bell) Changed() <-chan struct{} { return b }

// Options configure Run. For most uses, only Roots and Signals are needed.
type Options struct {
	// Roots returns the files and folders to watch. Run calls it at the start and
	// after each call of changed. Nil means none.
	Roots func() []Root

	// Signals are watched in addition to the roots.
	Signals []Signal

	// Poll is the interval between polls of all files. Zero means notifications,
	// and one poll a second where they do not work: on network file systems, and
	// for more than 50,000 folders.
	//
	// Polling takes at most a tenth of the time: the interval grows with the
	// number of files. A poll is canceled after one minute, and counts as a
	// change.
	Poll time.Duration

	// Settle is the time without changes that ends a burst of changes. A burst
	// ends after ten times Settle at the latest. Zero means 40 ms.
	Settle time.Duration

	// Log gets a warning when Run must poll. Nil disables it.
	Log *slog.Logger
}

// Default durations, and limits.
const (
	defaultSettle = 40 * time.Millisecond
	fallbackPoll  = time.Second
	swapPoll      = 10 * time.Second // see notifier
	lookTime      = time.Minute      // of one poll
	patience      = 10               // maximum length of a burst, in settle times

	maxWatched = 50_000  // folders with notifications, whose number the system limits
	maxFolders = 200_000 // folders in one poll
)

// Run calls changed after each burst of changes, until ctx ends. It uses only
// the calling goroutine, except to read notifications, which ends before Run
// returns.
//
// Run also calls changed once at the start, and when Roots returns a new root,
// which may have changed before it was watched. There may be more calls than
// changes, but not fewer.
func Run(ctx context.Context, opts Options, changed func(context.Context)) {
	newWatcher(opts).run(ctx, changed)
}

// watcher is the state of one Run.
type watcher struct {
	Options
	signals signals
	roots   []Root // currently watched
	method  method

	newEvents  func() (*fsnotify.Watcher, error)
	maxWatched int
	swapPoll   time.Duration
}

// method is a method to detect changes: notifications or polling.
type method interface {
	// wait returns after a burst of changes, or when ctx ends. If moved is true,
	// other folders may matter now.
	wait(ctx context.Context) (moved bool)

	close()
}

func newWatcher(opts Options) *watcher {
	if opts.Roots == nil {
		opts.Roots = func() []Root { return nil }
	}
	if opts.Settle <= 0 {
		opts.Settle = defaultSettle
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &watcher{
		Options: opts, signals: signals{all: opts.Signals},
		newEvents: fsnotify.NewWatcher, maxWatched: maxWatched, swapPoll: swapPoll,
	}
}

func (w *watcher) run(ctx context.Context, changed func(context.Context)) {
	defer w.close()
	w.watch(ctx, w.currentRoots())
	for rounds := 0; ctx.Err() == nil; {
		w.signals.arm()
		changed(ctx)
		roots := w.currentRoots()
		if covers(w.roots, roots) {
			rounds = 0
			if moved := w.method.wait(ctx); moved || !slices.Equal(w.roots, roots) {
				w.watch(ctx, roots)
			}
			continue
		}
		// Roots that never stop changing must not keep the processor busy.
		if rounds++; rounds > patience {
			sleep(ctx, fallbackPoll)
		}
		w.watch(ctx, roots)
	}
}

// currentRoots returns the roots, sorted and without duplicates.
func (w *watcher) currentRoots() []Root {
	roots := slices.Clone(w.Roots())
	slices.SortFunc(roots, compareRoots)
	return slices.Compact(roots)
}

func compareRoots(a, b Root) int {
	if c := strings.Compare(a.Path, b.Path); c != 0 {
		return c
	}
	return strings.Compare(a.Suffix, b.Suffix)
}

// covers reports whether all of roots, which are sorted, are in watched.
func covers(watched, roots []Root) bool {
	for _, r := range roots {
		if _, ok := slices.BinarySearchFunc(watched, r, compareRoots); !ok {
			return false
		}
	}
	return true
}

// watch starts to watch roots. It makes all notifications again, which is
// simpler than changing them, and starts the new ones before it ends the old
// ones, so that no change is lost.
func (w *watcher) watch(ctx context.Context, roots []Root) {
	var next method
	if w.Poll <= 0 {
		n, err := w.notify(ctx, roots)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			next = n
		default:
			w.Poll = fallbackPoll
			w.Log.Warn("cannot watch the files for changes; looking at them regularly instead",
				"reason", err, "every", w.Poll)
		}
	}
	if next == nil {
		next = &poller{watcher: w, roots: roots, seen: look(ctx, roots)}
	}
	w.close()
	w.method, w.roots = next, roots
}

func (w *watcher) close() {
	if w.method != nil {
		w.method.close()
	}
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
