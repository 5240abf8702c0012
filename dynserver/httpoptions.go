package dynserver

import (
	"cmp"
	"crypto/tls"
	"net/http"
	"time"

	"github.com/dyngate/dyngate/dynserver/internal/httpport"
	"github.com/dyngate/dyngate/dynserver/internal/webfront"
	"github.com/dyngate/dyngate/internal/httprule"
)

// HTTPOptions are the settings of the HTTP port. The zero value of each field means
// its default; a negative value means that there is no limit. No limit ends a stream
// that its client reads.
//
// [Server.HTTPHandler] uses CORS, MaxRequests, BodyTimeout and StallTimeout only. All
// others are up to the http.Server that it is in.
type HTTPOptions struct {
	// TLS makes the port serve TLS. NextProtos need not be set. A listener whose
	// connections are TLS already, as from tls.NewListener, needs no TLS here.
	TLS *tls.Config

	// CORS says which browsers' pages may make calls. Default: the server's own.
	CORS CORSOptions

	// MaxRecvBytes and MaxSendBytes bound the messages, as those of GRPCOptions do,
	// whose values are the default.
	MaxRecvBytes, MaxSendBytes int

	// REST holds the settings of HTTP/JSON calls.
	REST RESTOptions

	// OpenAPI says what the OpenAPI documents at /openapi.json and /openapi.yaml say
	// besides what the schemas say.
	OpenAPI OpenAPIOptions

	// NoPages serves neither the OpenAPI documents nor the page at /, which lists the
	// services. They show the comments of the schemas, and pass no middleware.
	NoPages bool

	// MaxHeaderBytes bounds the header of a request. A request with a larger one is
	// answered with 431. Default 64 KiB.
	MaxHeaderBytes int

	// MaxConnections bounds the open connections. A further one takes the place of
	// that which has been without a request for the longest time. If all have
	// requests in progress it is closed. Default 10,000.
	MaxConnections int

	// MaxRequests bounds the requests in progress, streams included. Further ones are
	// answered with UNAVAILABLE: 503, with Retry-After. Default 10,000.
	MaxRequests int

	// MaxConcurrentStreams bounds the requests in progress on one HTTP/2 connection.
	// Clients delay further ones. Default 1000.
	MaxConcurrentStreams int

	// HeaderTimeout bounds the time in which the header of a request, and the TLS
	// handshake before the first, must arrive. Default 10 s.
	HeaderTimeout time.Duration

	// BodyTimeout bounds the pauses in the body of a request, unless its method streams
	// requests. Default 30 s.
	BodyTimeout time.Duration

	// StallTimeout bounds how long a client may read nothing of an answer that waits
	// for it, streams included. Default 2 min.
	StallTimeout time.Duration

	// IdleTimeout is how long a connection without a request stays open. Default 11
	// min, because the load balancers of large clouds use connections for 10.
	IdleTimeout time.Duration

	// PingAfterIdle is how long an HTTP/2 connection may be silent before the server
	// pings the client. The connection is closed if the client does not answer within
	// PingTimeout. Defaults 2 min and 20 s.
	PingAfterIdle, PingTimeout time.Duration
}

// CORSOptions say which pages browsers let make calls and read the answers.
type CORSOptions struct {
	// Origins are the origins of these pages: "https://app.example.com",
	// "https://*.example.com" for all hosts below example.com, or "*" for all pages.
	// They also may open WebSockets. Default: none.
	Origins []string

	// Credentials lets the pages send cookies and client certificates. It cannot be
	// combined with the origin "*".
	Credentials bool

	// MaxAge is how long browsers may remember the answer to a preflight. Default 2 h.
	MaxAge time.Duration
}

// HTTPHandler returns a handler that serves what an [HTTP] listener serves, for an
// http.Server of the caller, which must have HTTP/2 for methods that stream in both
// directions. [Server.Shutdown] waits for its requests, and refuses further ones.
func (s *Server) HTTPHandler() http.Handler { return s.http.Handler() }

// newHTTP returns the HTTP front.
func (s *Server) newHTTP() (*httpport.Server, error) {
	o := s.config.HTTP
	fronts := httpport.Fronts{Web: s.newWeb(), Speaks: webfront.Speaks, REST: s.newREST(), Pages: s.newPages(), Bound: s.bound}
	return httpport.New(httpport.Options{
		TLS:                  o.TLS,
		CORS:                 httpport.CORS(o.CORS),
		MaxHeaderBytes:       o.MaxHeaderBytes,
		MaxConnections:       o.MaxConnections,
		MaxRequests:          o.MaxRequests,
		MaxConcurrentStreams: o.MaxConcurrentStreams,
		HeaderTimeout:        o.HeaderTimeout,
		BodyTimeout:          o.BodyTimeout,
		StallTimeout:         o.StallTimeout,
		IdleTimeout:          o.IdleTimeout,
		PingAfterIdle:        o.PingAfterIdle,
		PingTimeout:          o.PingTimeout,
		Handler:              fronts,
		Speaks:               fronts.Speaks,
		Pauses:               s.pauses,
		Log:                  s.config.Log,
	})
}

// newWeb returns the front of Connect, gRPC-Web and gRPC on the HTTP port.
func (s *Server) newWeb() *webfront.Front {
	return webfront.New(&s.current, webfront.Options{
		MaxRecvBytes: cmp.Or(s.config.HTTP.MaxRecvBytes, s.config.GRPC.MaxRecvBytes),
		MaxSendBytes: cmp.Or(s.config.HTTP.MaxSendBytes, s.config.GRPC.MaxSendBytes),
	})
}

// binding returns the HTTP rule that a request matches, or nil.
func (s *Server) binding(r *http.Request) *httprule.Binding {
	binding, _ := s.current.Load().HTTP().Find(r.Method, r.URL.EscapedPath(), nil)
	return binding
}

// bound reports whether a method has an HTTP rule that a request matches.
func (s *Server) bound(r *http.Request) bool { return s.binding(r) != nil }

// pauses reports whether the client may pause in the body of a request, because the
// method streams requests.
func (s *Server) pauses(r *http.Request) bool {
	if route := s.current.Load().Route(r.URL.Path); route != nil && r.Method == http.MethodPost {
		return route.Method.IsStreamingClient()
	}
	binding := s.binding(r)
	return binding != nil && binding.Method.IsStreamingClient()
}
