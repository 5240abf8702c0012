package httpport

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"time"
)

// Options are the settings of a Server. dynserver.HTTPOptions describes those that it
// shares.
type Options struct {
	TLS  *tls.Config
	CORS CORS

	MaxHeaderBytes       int
	MaxConnections       int
	MaxRequests          int
	MaxConcurrentStreams int

	HeaderTimeout              time.Duration
	BodyTimeout                time.Duration
	StallTimeout               time.Duration
	IdleTimeout                time.Duration
	PingAfterIdle, PingTimeout time.Duration

	// Handler serves all requests but preflights.
	Handler http.Handler

	// Speaks reports whether a request is one of gRPC, gRPC-Web or Connect, for the form
	// of refusals. Nil means that none is.
	Speaks func(*http.Request) bool

	// Pauses reports whether a client may pause in the body of a request for as long
	// as it likes, because it is a stream. It is called only for a body that has
	// reached BodyTimeout. Nil means that no client may.
	Pauses func(*http.Request) bool

	Log *slog.Logger
}

// CORS says which browsers' pages may make calls.
type CORS struct {
	Origins     []string
	Credentials bool
	MaxAge      time.Duration
}

// withDefaults replaces zeros by the defaults, and negative values, which mean that
// there is no limit, by zeros.
func (o Options) withDefaults() Options {
	o.MaxHeaderBytes = def(o.MaxHeaderBytes, 64<<10)
	o.MaxConnections = def(o.MaxConnections, 10_000)
	o.MaxRequests = def(o.MaxRequests, 10_000)
	o.MaxConcurrentStreams = def(o.MaxConcurrentStreams, 1000)
	o.HeaderTimeout = def(o.HeaderTimeout, 10*time.Second)
	o.BodyTimeout = def(o.BodyTimeout, 30*time.Second)
	o.StallTimeout = def(o.StallTimeout, 2*time.Minute)
	// Longer than the 600 s for which the load balancers of the large clouds keep a
	// connection, which must not be closed just when they use it again.
	o.IdleTimeout = def(o.IdleTimeout, 11*time.Minute)
	o.PingAfterIdle = def(o.PingAfterIdle, 2*time.Minute)
	o.PingTimeout = def(o.PingTimeout, 20*time.Second)
	o.CORS.MaxAge = def(o.CORS.MaxAge, 2*time.Hour)
	if o.Pauses == nil {
		o.Pauses = func(*http.Request) bool { return false }
	}
	if o.Speaks == nil {
		o.Speaks = func(*http.Request) bool { return false }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func def[T int | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return max(v, 0)
}
