package webfront

import (
	"context"
	"io"
	"math"
	"net/http"
	"sync/atomic"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
)

// exchange is a request that is served as a call, and the context of the call.
type exchange struct {
	context.Context //nolint:containedctx // it is one

	w     http.ResponseWriter
	r     *http.Request // its context is the exchange, its body the one below
	body  body
	began bool // the response
	route *dispatch.Served
	json  bool

	cutter cutter
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
	ended, failed atomic.Bool
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.ended.Store(true)
	} else if err != nil {
		b.failed.Store(true)
	}
	return n, err
}

// takeBody puts the exchange's body into its request. Of a body that is longer than
// limit, connect reads the rest to throw it away: that is bounded here.
func (e *exchange) takeBody(limit int) {
	e.body.ReadCloser = e.r.Body
	if e.r.Body == http.NoBody {
		e.body.ended.Store(true)
	}
	if limit < math.MaxInt && (e.r.ContentLength < 0 || e.r.ContentLength > int64(limit)) {
		e.body.ReadCloser = http.MaxBytesReader(e.w, e.r.Body, int64(limit)+1)
	}
	e.r.Body = &e.body
}

// isHalfRead reports whether a connection of HTTP/1.1 may still carry requests of a
// stream.
func (e *exchange) isHalfRead() bool {
	return e.r.ProtoMajor < 2 && e.route.Method.IsStreamingClient() && !e.body.ended.Load()
}

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
	halfRead := w.isHalfRead()
	if halfRead {
		// Otherwise net/http reads the rest of the request before it sends anything.
		_ = http.NewResponseController(w.w).EnableFullDuplex()
	}
	if halfRead || w.r.ProtoMajor < 2 && w.body.failed.Load() {
		w.w.Header()["Connection"] = []string{"close"}
	}
}
