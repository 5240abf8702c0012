// Package httpport serves an HTTP port: HTTP/1.1 and HTTP/2, with and without TLS, by
// net/http. It bounds what clients may cost, answers the CORS requests of browsers,
// and drains. Handlers answer the requests themselves.
package httpport

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Server serves any number of listeners, and is an http.Handler for other servers.
type Server struct {
	opts    Options
	origins *origins
	http    *http.Server
	conns   conns

	base context.Context //nolint:containedctx // of all requests; ends when they are cut
	cut  context.CancelCauseFunc

	mu       sync.Mutex
	active   map[*exchange]struct{} // requests in progress
	draining bool
	drained  chan struct{} // closed when draining and no request is in progress
	sweeping bool          // the timer is set

	timer *time.Timer   // calls sweep
	every time.Duration // between two calls
	tick  atomic.Int64  // counts the calls of sweep, from 1
}

// New returns a server. It starts nothing.
func New(opts Options) (*Server, error) {
	allowed, err := parseOrigins(opts.CORS)
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts: opts.withDefaults(), origins: allowed,
		active: make(map[*exchange]struct{}), drained: make(chan struct{}),
	}
	s.base, s.cut = context.WithCancelCause(context.Background())
	s.conns.init(s.opts)
	s.initSweep()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	s.http = &http.Server{
		Handler:                      http.HandlerFunc(s.serve),
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            s.opts.HeaderTimeout,
		IdleTimeout:                  s.opts.IdleTimeout,
		MaxHeaderBytes:               s.opts.MaxHeaderBytes,
		ConnState:                    s.conns.changed,
		TLSConfig:                    s.opts.TLS,
		ErrorLog:                     log.New(errorLog{s.opts.Log}, "", 0),
		BaseContext:                  func(net.Listener) context.Context { return s.base },
		Protocols:                    protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: s.opts.MaxConcurrentStreams,
			SendPingTimeout:      s.opts.PingAfterIdle,
			PingTimeout:          s.opts.PingTimeout,
		},
	}
	return s, nil
}

// Serve accepts connections until the server stops.
func (s *Server) Serve(lis net.Listener) error {
	var err error
	lis = s.conns.listener(lis)
	if s.opts.TLS == nil {
		err = s.http.Serve(lis)
	} else {
		err = s.http.ServeTLS(lis, "", "")
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Handler returns a handler for other servers than this one. Its requests are drained
// and cut together with the others.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancelCause(r.Context())
		defer cancel(nil)
		s.handle(&exchange{ResponseWriter: w, server: s, request: r.WithContext(ctx), cancel: cancel})
	})
}

// serve serves a request of a listener.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.handle(&exchange{ResponseWriter: w, server: s, request: r})
}

func (s *Server) handle(x *exchange) {
	if !s.crossOrigin(x) {
		return
	}
	if err := s.enter(x); err != nil {
		x.Header().Set("Retry-After", "1")
		s.refuse(x, err)
		return
	}
	defer s.leave(x)
	s.opts.Handler.ServeHTTP(x, x.request)
}

// GracefulStop closes the listeners and waits for the requests in progress, those on
// hijacked connections and of Handler included.
func (s *Server) GracefulStop() {
	s.drain()
	_ = s.http.Shutdown(context.Background()) // its error is that of closing a listener
	<-s.drained
}

// drain begins to drain. It returns the requests in progress.
func (s *Server) drain() []*exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining && len(s.active) == 0 {
		close(s.drained)
	}
	s.draining = true
	return slices.Collect(maps.Keys(s.active))
}

// goodbye is how long requests that are cut have to send their status.
const goodbye = time.Second

// Stop cuts the requests in progress, waits briefly for them to say so, and closes
// the listeners and all connections.
func (s *Server) Stop() {
	s.cut(errCut)
	all := s.drain()
	for _, x := range all {
		if x.cancel != nil {
			x.cancel(errCut)
		}
		x.fail(errCut, false)
	}
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	select {
	case <-s.drained:
	case <-ctx.Done():
	}
	_ = s.http.Shutdown(ctx) // until the answers are written
	_ = s.http.Close()
	for _, x := range all {
		x.closeHijacked()
	}
}

// errorLog logs what net/http reports: mistakes of clients, unless a handler panicked.
type errorLog struct{ *slog.Logger }

func (l errorLog) Write(p []byte) (int, error) {
	level := slog.LevelDebug
	if text := string(p); strings.Contains(text, "panic") {
		level = slog.LevelError
	}
	l.Log(context.Background(), level, strings.TrimSpace(string(p)))
	return len(p), nil
}
