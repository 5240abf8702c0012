// Package watch reports that files have changed: by notifications of the operating
// system, by polling where those do not work, and by signals for everything that is
// not a file of the operating system.
//
// It says that something changed, not what. Its callers read again what they
// depend on, and that is also when they learn which files matter from then on:
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

// Signal is something that reports its own changes.
type Signal interface {
	// Changed returns a channel that is closed, or delivers a value, at the next
	// change. Run asks for the channel before it calls changed, so no change
	// after that call began is lost. Nil means that there will be no change.
	Changed() <-chan struct{}
}

// Bell is a [Signal] for changes that the program itself knows of.
type Bell chan struct{}

// NewBell returns a Bell.
func NewBell() Bell { return make(Bell, 1) }

// Ring reports a change. It does not block.
func (b Bell) Ring() {
	select {
	case b <- struct{}{}:
	default: // it rings already
	}
}

// Changed implements [Signal]. One Run at a time may listen.
func (b Bell) Changed() <-chan struct{} { return b }

// Options say what Run watches, and how. The zero value of each field but Roots
// and Signals is right for most.
type Options struct {
	// Roots returns what to watch. Run calls it at the start and after each call
	// of changed. Nil means none.
	Roots func() []Root

	// Signals are watched in addition to the roots.
	Signals []Signal

	// Poll is the interval at which to look at all files. Zero relies on
	// notifications, and polls once a second where they do not work: on network
	// file systems, and for more than 50,000 folders.
	//
	// Looking takes a tenth of the time at most: the interval grows with the number
	// of files. A look that takes a minute is given up, and counts as a change.
	Poll time.Duration

	// Settle is how long it must be quiet before a burst of changes counts as one. A
	// burst that does not end counts after ten times that. Zero means 40 ms.
	Settle time.Duration

	// Log gets a warning when Run has to poll. Nil is silent.
	Log *slog.Logger
}

// The durations that hold unless Options sets others, and the bounds.
const (
	defaultSettle = 40 * time.Millisecond
	fallbackPoll  = time.Second
	swapPoll      = 10 * time.Second // see notifier
	lookTime      = time.Minute      // how long one look may take
	patience      = 10               // how many settle times a burst may last

	maxWatched = 50_000  // folders with notifications, of which a system has a limited number
	maxFolders = 200_000 // folders in one look
)

// Run calls changed when something has changed and settled, until ctx ends. All
// happens in the goroutine that calls Run, apart from the reading of notifications,
// which ends before Run returns.
//
// Run also calls changed once at the start, and when Roots returns a new root: what was
// read before the root was watched may have changed since. More calls than changes are
// possible, fewer are not.
func Run(ctx context.Context, opts Options, changed func(context.Context)) {
	newWatcher(opts).run(ctx, changed)
}

// watcher is one Run.
type watcher struct {
	Options
	signals signals
	roots   []Root // that are watched
	method  method

	newEvents  func() (*fsnotify.Watcher, error)
	maxWatched int
	swapPoll   time.Duration
}

// method is a way to notice changes of roots.
type method interface {
	// wait returns when something has changed and settled, or ctx has ended. If
	// moved is set, other folders may matter now.
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

// currentRoots returns the roots in order, each once.
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

// watch watches roots from now on. Making all notifications again is simpler than
// changing them, and safe: the new ones are there before the old ones end.
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

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
