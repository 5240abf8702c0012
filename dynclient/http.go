package dynclient

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/stats"

	"github.com/dyngate/dyngate/dynclient/internal/httpconn"
)

// Protocol is a protocol of calls over HTTP.
type Protocol = httpconn.Protocol

// The protocols of calls over HTTP.
const (
	Connect = httpconn.Connect
	GRPCWeb = httpconn.GRPCWeb
	GRPC    = httpconn.GRPC
)

// HTTPOptions are the settings for targets that are URLs.
//
// Calls use HTTP/1.1 with http://, and HTTP/2 with https:// if the server
// supports it. Bidirectional streams, reflection among them, and all calls of
// protocol [GRPC] need HTTP/2; with http:// the client then begins to speak
// HTTP/2 without asking (h2c with prior knowledge). A proxy of the environment is
// used, except for HTTP/2 without TLS. Redirects are errors.
type HTTPOptions struct {
	// Protocol is that of calls. Default: [Connect].
	Protocol Protocol

	// TLS is the configuration of https://. Default: the system's certificates.
	TLS *tls.Config

	// DialContext makes connections, as that of [http.Transport] does. Default:
	// a [net.Dialer] with a timeout of ten seconds.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// Transport sends all requests if it is not nil. TLS and DialContext have no
	// effect then, and the transport chooses the version of HTTP.
	Transport http.RoundTripper

	Authority string        // the Host of requests; default: that of the target
	UserAgent string        // default: that of connectrpc.com/connect
	Stats     stats.Handler // is told about calls; lengths are those before compression
}

// WithHTTP sets how [Dial] reaches a target that is a URL, such as
// http://127.0.0.1:8080 or https://api.example.com/prefix.
//
// All of grpc's call options apply that are about metadata, sizes, gzip,
// credentials of calls, and results. [grpc.WaitForReady] and retries have no
// effect; other compressions and codecs are errors.
func WithHTTP(o HTTPOptions) Option {
	return func(s *settings) { s.http = &o }
}

// HTTPConn is a connection to an HTTP server. [New] and the stubs of generated code
// for gRPC take it.
type HTTPConn = httpconn.Conn

// NewHTTPConn returns a connection to the server at a URL, as [WithHTTP] describes
// it. The server is not contacted before the first call.
func NewHTTPConn(target string, o HTTPOptions) (*HTTPConn, error) {
	return httpconn.New(target, httpconn.Options(o))
}

// connection is a connection that Dial closes.
type connection interface {
	grpc.ClientConnInterface
	io.Closer
}

func (s *settings) connect(target string) (connection, error) {
	if httpconn.IsTarget(target) {
		if len(s.dial) > 0 {
			return nil, errors.New(target + " is a URL: WithGRPC and WithServiceConfig are for targets of gRPC; use WithHTTP")
		}
		var o HTTPOptions
		if s.http != nil {
			o = *s.http
		}
		return NewHTTPConn(target, o)
	}
	if s.http != nil {
		return nil, errors.New(target + " is not a URL: WithHTTP is for http:// and https://; use WithGRPC")
	}
	plaintext := grpc.WithTransportCredentials(insecure.NewCredentials())
	return grpc.NewClient(target, append([]grpc.DialOption{plaintext}, s.dial...)...)
}
