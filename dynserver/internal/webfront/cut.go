package webfront

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"connectrpc.com/connect"
)

// writeGrace is how long a call may still write when its context has ended: its status,
// to a caller that reads. A test makes it shorter.
var writeGrace = 5 * time.Second

// cutter ends reading from and writing to the network when the context of a call ends,
// for a caller that neither sends nor reads.
type cutter struct {
	stop func() bool

	mu   sync.Mutex
	cut  bool // a deadline for writing has been set
	over bool // the exchange must not be used any more
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// gate is a connect.RequestGateFunc: it runs when the deadline of a call is known, and
// before anything is read.
func gate(ctx context.Context, spec connect.Spec, _ connect.Peer, _ http.Header) (context.Context, error) {
	if _, ends := ctx.Deadline(); !ends && spec.StreamType == connect.StreamTypeUnary {
		return ctx, nil // the caller's leaving ends it
	}
	e := exchangeIn(ctx)
	e.cutter.stop = context.AfterFunc(ctx, func() { e.cut(ctx) })
	return ctx, nil
}

// cut makes reads fail now, and writes soon.
func (e *exchange) cut(ctx context.Context) {
	if e.Err() == nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return // the call has ended by itself
	}
	c := &e.cutter
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	c.cut = true
	control := http.NewResponseController(e.w)
	_ = control.SetWriteDeadline(time.Now().Add(writeGrace)) // not all servers have deadlines
	if !e.body.ended.Load() {
		_ = control.SetReadDeadline(past)
	}
}

// lingerAtMost bounds reading to what is left of a request, if it has not been cut.
func (c *cutter) lingerAtMost(control *http.ResponseController) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.cut {
		_ = control.SetReadDeadline(time.Now().Add(linger))
	}
}

// end ends the use of the request. With HTTP/1.1 a deadline for writing would hold for
// the next request of the connection too. net/http itself resets the one for reading.
func (e *exchange) end() {
	c := &e.cutter
	if c.stop != nil {
		c.stop()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	if c.cut && e.r.ProtoMajor < 2 {
		control := http.NewResponseController(e.w)
		_ = control.Flush()
		_ = control.SetWriteDeadline(time.Time{})
	}
}
