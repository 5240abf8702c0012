package restfront

import (
	"context"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver/internal/httpcall"
)

// serve serves a request that is not for a WebSocket.
func (c *call) serve() {
	cancel, err := c.context()
	if err != nil {
		c.fail(err)
		return
	}
	defer cancel()
	if e := c.endpoint; e.manyOut || e.manyIn {
		c.ctx, c.cancel = context.WithCancelCause(c.ctx)
		defer c.cancel(nil)
		if err := c.openStream(); err != nil {
			c.fail(err)
			return
		}
	}
	c.finish(c.run())
}

// context sets the context of the call, with the deadline that the caller demands.
func (c *call) context() (cancel context.CancelFunc, err error) {
	c.ctx, cancel = c.r.Context(), func() {}
	if err := c.front.headers.check(c.r.Header); err != nil {
		return nil, err
	}
	timeout := c.r.Header["Grpc-Timeout"]
	if timeout == nil {
		return cancel, nil
	}
	d, err := httpcall.Timeout(timeout[0])
	if err != nil {
		return nil, invalidParam("header", "Grpc-Timeout", err.Error())
	}
	c.ctx, cancel = context.WithTimeout(c.ctx, d)
	return cancel, nil
}

// run runs the handler. No Recv or Send is in progress when it returns, and later ones
// fail.
func (c *call) run() error {
	if c.endpoint.wrong != nil {
		return status.Error(codes.Internal, c.endpoint.wrong.Error())
	}
	_, timed := c.ctx.Deadline()
	if !timed && !c.endpoint.manyIn {
		err := c.endpoint.route.ServeIn(c.ctx, &c.outer, c)
		c.end()
		return err
	}
	// A Recv that waits for the caller ends with the call.
	stop := context.AfterFunc(c.ctx, c.interrupt)
	err := c.endpoint.route.ServeIn(c.ctx, &c.outer, c)
	stop()
	c.end()
	return err
}

// linger is how long net/http may read the rest of a body that nobody wants. If the
// connection were closed at once, the caller could lose the response.
const linger = 500 * time.Millisecond

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// interrupt makes reading the body fail.
func (c *call) interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.interrupted.Store(true)
	if !c.over && !c.socket { // otherwise the connection may serve another request
		_ = http.NewResponseController(c.w).SetReadDeadline(past)
	}
}

// end makes later calls of Recv and Send fail, and those in progress end.
func (c *call) end() {
	c.mu.Lock()
	c.over = true
	receiving := c.receiving
	c.mu.Unlock()
	if !c.socket {
		c.endBody(receiving)
	}
	if !c.sendMu.TryLock() { // only a goroutine that the handler has left behind
		if !c.socket {
			_ = http.NewResponseController(c.w).SetWriteDeadline(past)
		}
		c.sendMu.Lock()
	}
	c.sendMu.Unlock()
}

// endBody ends reading the body. The rest of the body of a stream may never come, and
// net/http would wait for it.
func (c *call) endBody(receiving bool) {
	var err error
	switch {
	case receiving || c.endpoint.manyIn && c.unread():
		err = http.NewResponseController(c.w).SetReadDeadline(past)
	case c.r.ProtoMajor == 1 && c.unread(): // net/http reads it after the response
		err = http.NewResponseController(c.w).SetReadDeadline(time.Now().Add(linger))
	}
	c.mu.Lock()
	a := c.ahead
	c.mu.Unlock()
	if a != nil {
		a.close(err == nil)
	}
}

// unread reports whether a part of the body may not have been read.
func (c *call) unread() bool {
	c.mu.Lock()
	a := c.ahead
	c.mu.Unlock()
	if a != nil {
		return !a.ended()
	}
	return hasBody(c.r) && !c.body.eof.Load()
}

// closeUnread adds the header that closes the connection after the response, if it may
// still bring a part of the body. net/http would wait for it before the response, or
// not find the next request.
func (c *call) closeUnread(h http.Header) {
	if c.r.ProtoMajor == 1 && c.unread() {
		h["Connection"] = []string{"close"}
	}
}

// errOver is the error of Recv and Send after the end of the call.
var errOver = status.Error(codes.Canceled, "the call is over")

// startRecv begins a Recv, and endRecv ends it.
func (c *call) startRecv() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return errOver
	}
	c.receiving = true
	return nil
}

func (c *call) endRecv() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.receiving = false
}

// canSend returns the error of a Send that must not begin. The caller holds sendMu.
func (c *call) canSend() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return errOver
	}
	if c.ctx.Err() != nil {
		return c.contextError()
	}
	return nil
}

// contextError returns the status of the context's end.
func (c *call) contextError() error {
	if cause := context.Cause(c.ctx); status.Code(cause) != codes.Unknown {
		return cause
	}
	return status.FromContextError(c.ctx.Err()).Err()
}
