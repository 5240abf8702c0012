package main

import (
	"io"
	"sync"
	"time"
)

const (
	// logQueueBytes is how much of the log may wait to be written.
	logQueueBytes = 1 << 20

	// logPatience is how long the end of the process waits for the log.
	logPatience = 500 * time.Millisecond
)

// logQueue writes lines from a goroutine of its own, so that logging never blocks
// when the log is not read. Lines that do not fit are dropped and counted.
type logQueue struct {
	out     io.Writer
	report  func(dropped int) []byte // renders a line of the log
	wake    chan struct{}
	written chan struct{} // closed when all has been written

	mu      sync.Mutex
	lines   [][]byte
	size    int
	dropped int
	closed  bool
}

// newLogQueue starts a goroutine that writes to out until the queue is closed.
// report says how many lines were dropped.
func newLogQueue(out io.Writer, report func(dropped int) []byte) *logQueue {
	q := &logQueue{out: out, report: report, wake: make(chan struct{}, 1), written: make(chan struct{})}
	go q.run()
	return q
}

// Write implements io.Writer. A line is written completely or dropped. Write never
// blocks and never fails.
func (q *logQueue) Write(line []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || (q.size > 0 && q.size+len(line) > logQueueBytes) {
		q.dropped++
		return len(line), nil
	}
	q.lines = append(q.lines, append([]byte(nil), line...))
	q.size += len(line)
	q.signal()
	return len(line), nil
}

func (q *logQueue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// close writes the lines in the queue, unless that takes too long.
func (q *logQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.signal()
	q.mu.Unlock()
	select {
	case <-q.written:
	case <-time.After(logPatience):
	}
}

func (q *logQueue) run() {
	defer close(q.written)
	for range q.wake {
		for line := q.next(); line != nil; line = q.next() {
			_, _ = q.out.Write(line) // where to report it?
		}
		if q.done() {
			return
		}
	}
}

// next removes and returns the next line; nil if there is none. Lines were dropped
// after those in the queue, so the queue comes first.
func (q *logQueue) next() []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines) == 0 {
		if q.dropped == 0 {
			return nil
		}
		n := q.dropped
		q.dropped = 0
		return q.report(n)
	}
	line := q.lines[0]
	q.lines = q.lines[1:]
	q.size -= len(line)
	return line
}

func (q *logQueue) done() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed && len(q.lines) == 0 && q.dropped == 0
}
