package webfront

import (
	"context"
	"io"
	"math"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
)

// exchange is a request that is served as a call, and the context of the call. Without
// a route it is refused.
type exchange struct {
	context.Context //nolint:containedctx // it is one

	w    http.ResponseWriter
	r    *http.Request // its context is the exchange, its body the one below
	body body
	json bool

	serving bool // a handler may still read from the request
	began   bool // the response
	route   *dispatch.Served

	cutter cutter
	call   call
	outer  dispatch.Context // of the handler, around that of the call
	unary  unaryConn        // of call, if the protocol is Connect's for unary calls
}

type exchangeKey struct{}

// Value implements context.Context.
func (e *exchange) Value(key any) any {
	if key == (exchangeKey{}) {
		return e
	}
	return e.Context.Value(key)
}

func exchangeIn(ctx context.Context) *exchange {
	return ctx.Value(exchangeKey{}).(*exchange) //nolint:forcetypeassert // ServeHTTP put it there
}

// body is the body of a request.
type body struct {
	io.ReadCloser
	exchange      *exchange
	ended, failed atomic.Bool
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.ended.Load() { // net/http may have closed it since
		return 0, io.EOF
	}
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.ended.Store(true)
	} else if err != nil {
		b.failed.Store(true)
	}
	return n, err
}

// linger is how long a client may take to send the rest of a request that has been
// answered. Some clients drop the answer if the connection is closed before.
const linger = time.Second

// Close implements io.Closer. connect closes a body when it has written the response.
// net/http then reads up to 256 KiB of the rest, which a client may not send before it
// has the response.
func (b *body) Close() error {
	if e := b.exchange; e.r.ProtoMajor < 2 && e.streams() && !b.ended.Load() {
		control := http.NewResponseController(e.w)
		_ = control.Flush()
		e.cutter.lingerAtMost(control)
	}
	return b.ReadCloser.Close()
}

// takeBody puts the exchange's body into its request. Of a body that is longer than
// limit, connect reads the rest to throw it away: that is bounded here.
func (e *exchange) takeBody(limit int) {
	e.body.ReadCloser, e.body.exchange = e.r.Body, e
	if e.r.Body == http.NoBody {
		e.body.ended.Store(true)
	}
	if limit < math.MaxInt && (e.r.ContentLength < 0 || e.r.ContentLength > int64(limit)) {
		e.body.ReadCloser = http.MaxBytesReader(e.w, e.r.Body, int64(limit)+1)
	}
	e.r.Body = &e.body
}

// streams reports whether a client may send parts of the request later, when it has
// seen some of the response.
func (e *exchange) streams() bool { return e.route == nil || e.route.Method.IsStreamingClient() }

// writer is the http.ResponseWriter of an exchange.
type writer struct{ *exchange }

// Header implements http.ResponseWriter.
func (w writer) Header() http.Header { return w.w.Header() }

// WriteHeader implements http.ResponseWriter.
func (w writer) WriteHeader(code int) {
	w.begin()
	w.w.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (w writer) Write(p []byte) (int, error) {
	w.begin()
	return w.w.Write(p)
}

// Flush implements http.Flusher.
func (w writer) Flush() {
	w.begin()
	_ = http.NewResponseController(w.w).Flush()
}

// Unwrap is for http.ResponseController.
func (w writer) Unwrap() http.ResponseWriter { return w.w }

// begin decides what happens to a connection of HTTP/1.1 whose request has not been
// read to its end when the response begins. What is left must not be taken for the next
// request.
func (w writer) begin() {
	if w.began {
		return
	}
	w.began = true
	if w.r.ProtoMajor > 1 || w.body.ended.Load() {
		return
	}
	if !w.serving && !w.streams() {
		// Some clients drop the answer if the connection is closed while they send.
		_, _ = io.CopyN(io.Discard, &w.body, maxDrain)
	} else {
		// Otherwise net/http would do so.
		_ = http.NewResponseController(w.w).EnableFullDuplex()
	}
	if !w.body.ended.Load() {
		w.w.Header()["Connection"] = []string{"close"}
	}
}

// maxDrain is how much is read of a request that is answered without it.
const maxDrain = 256 << 10
