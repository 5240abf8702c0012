package webfront

import (
	"context"
	"net/http"
	"sync"
	"time"

	"connectrpc.com/connect"
)

// writeGrace is how long a call may still write when its context has ended: its status,
// to a caller that reads.
const writeGrace = 5 * time.Second

// cutter ends reading from and writing to the network when the context of a call ends,
// for a caller that neither sends nor reads.
type cutter struct {
	stop func() bool

	mu    sync.Mutex
	cut   bool // deadlines have been set
	ended bool // the request must not be used any more
}

// gate is a connect.RequestGateFunc: it runs when the deadline of a call is known, and
// before anything is read.
func gate(ctx context.Context, _ connect.Spec, _ connect.Peer, _ http.Header) (context.Context, error) {
	e := exchangeIn(ctx)
	e.cutter.stop = context.AfterFunc(ctx, e.cut)
	return ctx, nil
}

// cut makes reads fail now, and writes soon.
func (e *exchange) cut() {
	c := &e.cutter
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	c.cut = true
	control := http.NewResponseController(e.w)
	_ = control.SetReadDeadline(time.Unix(1, 0))
	_ = control.SetWriteDeadline(time.Now().Add(writeGrace))
}

// stopReading makes reads fail. The server resets the deadline for the next request.
func (c *cutter) stopReading(w http.ResponseWriter) error {
	return http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
}

// end ends the use of the request. A deadline for writing would apply to the next
// request of the connection too.
func (e *exchange) end() {
	c := &e.cutter
	if c.stop != nil {
		c.stop()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.cut {
		control := http.NewResponseController(e.w)
		_ = control.Flush()
		_ = control.SetWriteDeadline(time.Time{})
	}
}
