package httpport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// exchange is a request in progress: the http.ResponseWriter that its handler sees. It
// records when a read or write began, so that sweep finds those that take too long.
type exchange struct {
	http.ResponseWriter
	server  *Server
	request *http.Request
	cancel  context.CancelCauseFunc // ends the request's context; nil if that of the server does
	in      body
	own     http.Request // request, if it has a body

	reading, writing atomic.Int64 // the tick at which a read or write began; else 0
	failure          atomic.Pointer[error]
	pauses           bool // the client may pause in its body; used by sweep alone
	began            bool // the answer has
	unflushed        bool // a part of the answer may be
	exposing         bool // the answer goes to a page of another origin

	mu       sync.Mutex
	left     bool     // the handler has returned
	hijacked net.Conn // if it is
}

// body is the body of a request.
type body struct {
	io.ReadCloser
	x     *exchange
	ended atomic.Bool
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	b.x.reading.Store(b.x.server.tick.Load())
	defer b.x.reading.Store(0)
	if failure := b.x.failure.Load(); failure != nil {
		return 0, *failure
	}
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	if errors.Is(err, io.EOF) {
		b.ended.Store(true)
	} else if failure := b.x.failure.Load(); failure != nil {
		err = *failure
	}
	return n, err
}

// enter adds a request to those in progress, or refuses it.
func (s *Server) enter(x *exchange) error {
	if inner := x.request.Body; inner != nil && inner != http.NoBody {
		x.in.ReadCloser, x.in.x = inner, x
		// net/http looks at the body of its own request to decide whether the
		// connection may be used again, so that one stays as it is.
		x.own = *x.request
		x.own.Body = &x.in
		x.request = &x.own
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if limit := s.opts.MaxRequests; limit > 0 && len(s.active) >= limit {
		return status.Errorf(codes.Unavailable, "the server is busy: it serves %d requests", limit)
	}
	if s.base.Err() != nil || s.draining && x.cancel != nil {
		x.Header().Set("Connection", "close")
		return errCut
	}
	s.active[x] = struct{}{}
	s.startSweep()
	return nil
}

// leave ends what enter began.
func (s *Server) leave(x *exchange) {
	x.begin()
	x.mu.Lock()
	x.left = true
	switch {
	case x.hijacked != nil:
	case x.unread():
		x.endBody()
	case x.unflushed && x.request.ProtoMajor == 2 && s.opts.StallTimeout > 0:
		// net/http now sends the last part of the answer, which may wait for the client.
		_ = http.NewResponseController(x.ResponseWriter).SetWriteDeadline(time.Now().Add(s.opts.StallTimeout))
	}
	x.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.active, x)
	if s.draining && len(s.active) == 0 {
		close(s.drained)
	}
}

// unread reports whether a part of the body is still to be read from a connection of
// HTTP/1.
func (x *exchange) unread() bool {
	return x.in.x != nil && x.request.ProtoMajor == 1 && !x.in.ended.Load()
}

// endBody bounds the time for which net/http now reads the rest of the body.
func (x *exchange) endBody() {
	deadline := past
	if x.failure.Load() == nil {
		if x.server.opts.BodyTimeout == 0 {
			return
		}
		deadline = time.Now().Add(x.server.opts.BodyTimeout)
	}
	_ = http.NewResponseController(x.ResponseWriter).SetReadDeadline(deadline)
}

// begin is called before the header of the answer is sent.
func (x *exchange) begin() {
	if x.began {
		return
	}
	x.began = true
	if x.unread() {
		// net/http would wait for the rest of the body first, for as long as the client
		// likes, and if the wait has a deadline it would take what comes later for the
		// next request.
		x.Header().Set("Connection", "close")
	}
	if x.exposing {
		x.expose()
	}
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// fail makes reads of the body return err, and blocked writes fail too if writes is
// set.
func (x *exchange) fail(err error, writes bool) {
	x.failure.CompareAndSwap(nil, &err)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.left || x.hijacked != nil {
		return
	}
	control := http.NewResponseController(x.ResponseWriter) // other servers than net/http's may not have deadlines
	if x.reading.Load() != 0 || writes {
		// Not for a request whose body has been read: net/http would end its context.
		_ = control.SetReadDeadline(past)
	}
	if writes {
		_ = control.SetWriteDeadline(past)
	}
}

// closeHijacked closes the connection if a handler has taken it over.
func (x *exchange) closeHijacked() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.hijacked != nil {
		_ = x.hijacked.Close()
	}
}

// Unwrap returns the http.ResponseWriter of the server, for http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (x *exchange) WriteHeader(code int) {
	x.begin()
	x.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (x *exchange) Write(p []byte) (int, error) {
	x.begin()
	x.unflushed = true
	defer x.writing.Store(0)
	for written := 0; ; {
		x.writing.Store(x.server.tick.Load())
		n, err := x.ResponseWriter.Write(p[:min(len(p), piece)])
		written += n
		if p = p[n:]; err != nil || len(p) == 0 {
			return written, err
		}
	}
}

// Flush implements http.Flusher.
func (x *exchange) Flush() { _ = x.FlushError() }

// FlushError is what http.ResponseController calls.
func (x *exchange) FlushError() error {
	x.begin()
	x.writing.Store(x.server.tick.Load())
	defer x.writing.Store(0)
	x.unflushed = false
	return http.NewResponseController(x.ResponseWriter).Flush()
}

// Hijack implements http.Hijacker. The request lasts until its handler returns.
func (x *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(x.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("hijacking: %w", err)
	}
	x.mu.Lock()
	x.hijacked = conn
	x.mu.Unlock()
	return conn, rw, nil
}
