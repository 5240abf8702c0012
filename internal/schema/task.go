package schema

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// The compiler cannot be stopped. So it compiles each file in a separate goroutine, on copies,
// which ends when the compiler returns. Compile waits for it until the context ends, or until it
// has delayed other files too long. A later Compile uses the result, or it is discarded.

const (
	// fileTime is how long one file may delay a reload of others.
	fileTime = time.Second

	// maxRunaways limits how many abandoned tasks may run. Each takes a core.
	maxRunaways = 4
)

// task is work on one file, which may never end.
type task[T any] struct {
	began  time.Time
	done   chan struct{} // closed when result is set
	result T
	late   atomic.Bool // a Compile stopped waiting for it
}

// start starts a task.
func start[T any](c *Compiler, work func() T) *task[T] {
	t := &task[T]{began: time.Now(), done: make(chan struct{})}
	go func() { // ends with work
		t.result = work()
		close(t.done)
		if t.late.Load() {
			c.late.Ring()
		}
	}()
	return t
}

// Why a task has no result.
var (
	errPending  = errors.New("this file is still being compiled; its last good version is used until then")
	errTooLong  = errors.New("compiling this file takes too long; see the schema limits")
	errRunaways = errors.New("this file was not compiled: too many other files take too long to compile; restart to stop them")
)

// await waits for the task in slot, and starts it if there is none. If it returns errPending, the task stays in the
// slot, and a later call continues to wait. There is no limit for the files that ship with dyngate, on which all others
// depend.
func await[T any](ctx context.Context, c *Compiler, in *input, slot **task[T], work func() T) (result T, err error) {
	if *slot == nil {
		if !in.builtin && c.crowded() {
			return result, errRunaways
		}
		*slot = start(c, work)
	}
	t := *slot
	left := c.opts.Limits.CompileTime - time.Since(t.began)
	var enough <-chan time.Time
	if !in.builtin {
		timer := time.NewTimer(min(left, c.patience))
		defer timer.Stop()
		enough = timer.C
	}
	select {
	case <-t.done:
	case <-ctx.Done():
		return result, context.Cause(ctx)
	case <-enough:
		t.late.Store(true)
		select {
		case <-t.done: // just now
		default:
			if left > c.patience {
				return result, errPending
			}
			abandon(c, slot)
			return result, errTooLong
		}
	}
	*slot = nil
	return t.result, nil
}

// abandon empties a slot, and counts its task until it ends.
func abandon[T any](c *Compiler, slot **task[T]) {
	t := *slot
	*slot = nil
	if t == nil {
		return
	}
	c.tasks.Lock()
	defer c.tasks.Unlock()
	c.runaways = append(c.runaways, t.done)
}

// crowded reports whether maxRunaways abandoned tasks are running.
func (c *Compiler) crowded() bool {
	c.tasks.Lock()
	defer c.tasks.Unlock()
	running := c.runaways[:0]
	for _, done := range c.runaways {
		select {
		case <-done:
		default:
			running = append(running, done)
		}
	}
	clear(c.runaways[len(running):])
	c.runaways = running
	return len(running) >= maxRunaways
}
