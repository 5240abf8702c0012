package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	progressAfter = 500 * time.Millisecond // what takes less is not reported
	progressEvery = 100 * time.Millisecond
)

// progress shows on a terminal that long work goes on: a line that is rewritten in
// place, and erased when the work ends.
type progress struct {
	w *os.File // nil if nobody sees it

	mu    sync.Mutex
	begun time.Time // zero between two works
	last  time.Time // when the line was written; zero if it is not there
	ended bool
}

// newProgress returns the progress to show on w.
func newProgress(w *os.File) *progress {
	if !term.IsTerminal(int(w.Fd())) || os.Getenv("TERM") == "dumb" {
		w = nil
	}
	return &progress{w: w}
}

// report rewrites the line, now and then. What begins with the first report after
// an erase counts as new work.
func (p *progress) report(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.begun.IsZero() {
		p.begun = now
	}
	if p.w == nil || p.ended || now.Sub(p.begun) < progressAfter || now.Sub(p.last) < progressEvery {
		return
	}
	p.last = now
	fmt.Fprintf(p.w, "\r\x1b[K"+format, args...)
}

// erase removes the line.
func (p *progress) erase() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.last.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.begun, p.last = time.Time{}, time.Time{}
}

// stop removes the line for good.
func (p *progress) stop() {
	p.erase()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
}

// loading reports the progress of loading files, as dynserver.Config.OnProgress does.
func (p *progress) loading(done, total int) {
	if total == 0 {
		p.report("reading schemas: %d files...", done)
		return
	}
	p.report("compiling schemas: %d of %d files...", done, total)
}

// files reports how many files of schemas were read; 0 says that reading has ended.
func (p *progress) files(n int) {
	if n == 0 {
		p.erase()
		return
	}
	p.report("reading schemas: %d files...", n)
}
