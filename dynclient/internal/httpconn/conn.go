// Package httpconn makes calls over net/http, by the Connect protocol, gRPC-Web
// or gRPC, behind the interface of a gRPC connection.
package httpconn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// Protocol is a protocol of calls over HTTP.
type Protocol string

// The protocols.
const (
	Connect Protocol = "connect"
	GRPCWeb Protocol = "grpcweb"
	GRPC    Protocol = "grpc"
)

// Options are the settings of a [Conn].
type Options struct {
	Protocol    Protocol // default: Connect
	TLS         *tls.Config
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	Transport   http.RoundTripper
	Authority   string
	UserAgent   string
	Stats       stats.Handler
}

// Conn makes calls to one server. It is safe for concurrent use.
type Conn struct {
	target string
	opts   Options
	unary  http.RoundTripper
	duplex http.RoundTripper // HTTP/2 only
	idle   func()            // closes idle connections

	clients sync.Map        // clientKey to *connect.Client[payload, payload]
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
}

var _ grpc.ClientConnInterface = (*Conn)(nil)

// IsTarget reports whether a target is the URL of an HTTP server.
func IsTarget(target string) bool {
	scheme, _, found := strings.Cut(target, "://")
	return found && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// New returns a connection to the server at a URL, whose path comes before those
// of methods. The server is not contacted before the first call.
func New(target string, o Options) (*Conn, error) {
	base, err := parseTarget(target)
	if err != nil {
		return nil, err
	}
	switch o.Protocol {
	case "":
		o.Protocol = Connect
	case Connect, GRPCWeb, GRPC:
	default:
		return nil, fmt.Errorf("unknown protocol %q: it must be %s, %s or %s", o.Protocol, Connect, GRPCWeb, GRPC)
	}
	if o.TLS != nil && base.Scheme != "https" && o.Transport == nil {
		return nil, fmt.Errorf("%s is without TLS: write https://", base)
	}
	c := &Conn{target: strings.TrimSuffix(base.String(), "/"), opts: o}
	c.setTransports()
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c, nil
}

func parseTarget(target string) (*url.URL, error) {
	base, err := url.Parse(target)
	var wrong *url.Error
	if errors.As(err, &wrong) { // its text would have a password of the URL
		return nil, fmt.Errorf("the target is not a URL: %w", wrong.Err)
	}
	base.Scheme = strings.ToLower(base.Scheme)
	switch {
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, fmt.Errorf("%q is not the URL of an HTTP server: it must begin with http:// or https://", target)
	case base.Hostname() == "":
		return nil, fmt.Errorf("%q has no host", target)
	case base.User != nil:
		return nil, fmt.Errorf("%q has a user name or password: send them as metadata", base.Redacted())
	case base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, fmt.Errorf("%q has a query or a fragment: a target ends with its path", target)
	}
	return base, nil
}

// Target returns the URL of the server, without a slash at its end.
func (c *Conn) Target() string { return c.target }

// Close ends the calls in progress, and closes the connections.
func (c *Conn) Close() error {
	c.cancel()
	c.idle()
	return nil
}

// Invoke implements [grpc.ClientConnInterface].
func (c *Conn) Invoke(ctx context.Context, method string, in, out any, opts ...grpc.CallOption) error {
	s, err := c.NewStream(ctx, &grpc.StreamDesc{}, method, opts...)
	if err != nil {
		return err
	}
	if err := s.SendMsg(in); err != nil {
		s.(*stream).finish(err)
		return err
	}
	return s.RecvMsg(out)
}

// NewStream implements [grpc.ClientConnInterface].
func (c *Conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	if c.ctx.Err() != nil {
		return nil, status.Error(codes.Canceled, "the connection is closed")
	}
	if err := ctx.Err(); err != nil {
		return nil, status.FromContextError(err).Err()
	}
	o, err := readOptions(opts)
	if err != nil {
		return nil, err
	}
	return c.open(ctx, desc, method, o)
}

// clientKey holds what cannot be set for each call of a connect.Client.
type clientKey struct {
	method  string
	shape   connect.StreamType
	gzip    bool
	maxRecv int
}

// client returns the client of a method.
func (c *Conn) client(key clientKey) *connect.Client[payload, payload] {
	if known, ok := c.clients.Load(key); ok {
		return known.(*connect.Client[payload, payload])
	}
	opts := []connect.ClientOption{connect.WithCodec(codec{}), connect.WithReadMaxBytes(key.maxRecv)}
	if key.gzip {
		opts = append(opts, connect.WithSendGzip())
	}
	transport := c.unary
	switch c.opts.Protocol {
	case GRPC:
		opts = append(opts, connect.WithGRPC())
		transport = c.duplex
	case GRPCWeb:
		opts = append(opts, connect.WithGRPCWeb())
	}
	if key.shape == connect.StreamTypeBidi {
		transport = c.duplex
	}
	made := connect.NewClient[payload, payload](doer{conn: c, transport: transport}, c.target+key.method, opts...)
	known, _ := c.clients.LoadOrStore(key, made)
	return known.(*connect.Client[payload, payload])
}
