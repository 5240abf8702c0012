package rig

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
)

// Load is a client that calls the same method about 2,000 times a second.
type Load struct {
	calls, failed atomic.Int64
	first         atomic.Value // the first failure, a string
	stop          chan struct{}
	workers       sync.WaitGroup
}

// StartLoad begins to call. A call fails if it returns an error, or an answer that
// is not ok.
func StartLoad(t testing.TB, conn *grpc.ClientConn, path string, in []byte, ok func(out []byte) bool) *Load {
	t.Helper()
	const workers, every = 8, 4 * time.Millisecond
	l := &Load{stop: make(chan struct{})}
	for range workers {
		l.workers.Go(func() { // ends with End
			pace := time.NewTicker(every)
			defer pace.Stop()
			for {
				select {
				case <-l.stop:
					return
				case <-pace.C:
				}
				out, err := Invoke(t.Context(), conn, path, in)
				l.calls.Add(1)
				if err != nil || !ok(out) {
					l.failed.Add(1)
					l.first.CompareAndSwap(nil, fmt.Sprintf("%x, %v", out, err))
				}
			}
		})
	}
	return l
}

// End ends the calls. None may have failed.
func (l *Load) End(t testing.TB) {
	t.Helper()
	close(l.stop)
	l.workers.Wait()
	if n := l.failed.Load(); n > 0 {
		t.Errorf("%d of %d calls failed, the first with %v", n, l.calls.Load(), l.first.Load())
	}
	t.Logf("%d calls", l.calls.Load())
}

// Calls returns the number of calls so far.
func (l *Load) Calls() int64 { return l.calls.Load() }

// During waits until a number of further calls have been made.
func (l *Load) During(t testing.TB, calls int64) {
	t.Helper()
	until := l.calls.Load() + calls
	Eventually(t, "more calls", func() bool { return l.calls.Load() >= until })
}
