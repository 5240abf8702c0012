package schema

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// WatchOptions say how Watch learns of changes. The zero value is right for most.
type WatchOptions struct {
	// Poll is how often to look at all files. 0 has the operating system tell, and polls
	// once a second if it cannot (too many folders, or a network file system).
	Poll time.Duration

	// Settle is how long it must be quiet before a burst of changes counts as one. A burst
	// that does not end counts after ten times that. 0 means DefaultSettle.
	Settle time.Duration

	// Again, if it is not nil, has changed called though nothing is known to have changed, each
	// time that it delivers.
	Again <-chan time.Time
}

// The durations that hold unless WatchOptions sets others.
const (
	DefaultSettle = 40 * time.Millisecond
	fallbackPoll  = time.Second
	patience      = 10 // how many settle times a burst may last
)

// Watch calls changed, from this goroutine, after the sources changed and
// settled, until ctx ends; then it returns nil, and nothing of it is left running.
//
// No edit is lost between a Compile and Watch: it first compares the sources with what the last
// Compile saw, and calls changed if they differ. A call may be spurious;
// Compile then returns the snapshot it returned before. Sources given by FS are not watched.
func (c *Compiler) Watch(ctx context.Context, opts WatchOptions, changed func(context.Context)) error {
	if opts.Settle <= 0 {
		opts.Settle = DefaultSettle
	}
	if opts.Poll <= 0 {
		err := c.watchEvents(ctx, opts, changed)
		if err == nil {
			return nil
		}
		opts.Poll = fallbackPoll
		c.opts.Logger.Warn("cannot watch the schemas for changes; looking at them regularly instead",
			"reason", err, "every", opts.Poll)
	}
	c.watchPolling(ctx, opts, changed)
	return nil
}

// catchUp calls changed if the sources are not what the last Compile saw.
func (c *Compiler) catchUp(ctx context.Context, changed func(context.Context)) {
	c.mu.Lock()
	last := c.last
	c.mu.Unlock()
	if last != nil {
		if now, err := c.Compile(ctx); err == nil && now == last {
			return
		}
	}
	if ctx.Err() == nil {
		changed(ctx)
	}
}

// watchEvents returns nil when ctx ends, and an error if it cannot watch (any more).
func (c *Compiler) watchEvents(ctx context.Context, opts WatchOptions, changed func(context.Context)) error {
	w, err := c.newWatcher()
	if err != nil {
		return err
	}
	defer func() { w.close() }()
	c.catchUp(ctx, changed)
	for {
		moved, ok := false, true
		stale := !slices.EqualFunc(w.beside, c.beside(), slices.Equal)
		if !stale {
			moved, ok = w.wait(ctx, opts)
		}
		if !ok {
			return nil
		}
		if moved || stale || w.partial {
			// Folders came or went. Making the watches anew is simpler than mending
			// them, and sure: the new ones are there before the old ones end.
			next, err := c.newWatcher()
			switch {
			case err == nil:
				w.close()
				w = next
			case moved || stale:
				return err
			}
		}
		if stale {
			c.catchUp(ctx, changed)
		} else {
			changed(ctx)
		}
	}
}

// watcher has one set of watches.
type watcher struct {
	*places
	events *fsnotify.Watcher
	nudged <-chan struct{}
}

// close ends the watches.
func (w *watcher) close() { _ = w.events.Close() }

// newWatcher watches all folders that matter now.
func (c *Compiler) newWatcher() (*watcher, error) {
	places := c.places()
	for _, dir := range places.roots {
		if isRemote(dir) {
			return nil, errors.New(dir + " is on a file system that does not tell of all changes")
		}
	}
	events, err := c.newEvents()
	if err != nil {
		return nil, err
	}
	for dir := range places.dirs {
		err := events.Add(dir)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if errors.Is(err, fs.ErrPermission) { // nor can it be read, which Compile reports
			places.partial = true
			continue
		}
		_ = events.Close()
		return nil, fmt.Errorf("watching %s: %w", dir, err)
	}
	return &watcher{places, events, c.nudged}, nil
}

// wait returns after something that matters happened and it was quiet since.
// Moved says that folders may have come or gone; ok is false when ctx ended.
func (w *watcher) wait(ctx context.Context, opts WatchOptions) (moved, ok bool) {
	var quiet, enough <-chan time.Time // nil until something happens
	for {
		select {
		case <-ctx.Done():
			return false, false
		case <-quiet:
			return moved, true
		case <-enough:
			return moved, true
		case <-opts.Again:
			return moved, true
		case _, open := <-w.events.Errors:
			// Events were lost, most likely: look at everything.
			if !open {
				return true, ctx.Err() == nil
			}
			moved = true
		case <-w.nudged:
			return moved, true
		case event := <-w.events.Events:
			matters, moves := w.matters(event)
			if !matters {
				continue
			}
			moved = moved || moves
		}
		quiet = time.After(opts.Settle)
		if enough == nil {
			enough = time.After(patience * opts.Settle)
		}
	}
}
