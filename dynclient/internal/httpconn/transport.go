package httpconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"connectrpc.com/connect"
)

// Limits on what a server may take or send before a response.
const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second
	maxHeaderBytes   = 1 << 20
)

// setTransports makes the two ways to the server. Over http:// there is nothing
// that negotiates the version of HTTP, and over https:// HTTP/2 may be missing, so
// calls that need HTTP/2 have a transport that speaks nothing else.
func (c *Conn) setTransports() {
	if t := c.opts.Transport; t != nil {
		c.unary, c.duplex, c.idle = t, t, func() {}
		return
	}
	unary, duplex := c.newTransport(), c.newTransport()
	unary.Protocols.SetHTTP1(true)
	unary.Protocols.SetHTTP2(true)
	duplex.Protocols.SetHTTP2(true)
	duplex.Protocols.SetUnencryptedHTTP2(true)
	duplex.Proxy = func(r *http.Request) (*url.URL, error) {
		if r.URL.Scheme == "http" {
			return nil, nil //nolint:nilnil // no proxy: it would have to speak HTTP/2 without TLS
		}
		return http.ProxyFromEnvironment(r)
	}
	c.unary, c.duplex = unary, duplex
	c.idle = func() { unary.CloseIdleConnections(); duplex.CloseIdleConnections() }
}

func (c *Conn) newTransport() *http.Transport {
	dial := c.opts.DialContext
	if dial == nil {
		dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dial,
		TLSClientConfig:        c.opts.TLS.Clone(),
		TLSHandshakeTimeout:    handshakeTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConnsPerHost:    100,
		IdleConnTimeout:        90 * time.Second,
		DisableCompression:     true,
		Protocols:              new(http.Protocols),
	}
}

// doer sends requests by a transport. It does not follow redirects, which would
// send metadata to other servers.
type doer struct {
	conn      *Conn
	transport http.RoundTripper
}

// Do implements [connect.HTTPClient].
func (d doer) Do(r *http.Request) (*http.Response, error) {
	call := traceOf(r.Context())
	if call.authority != "" {
		r.Host = call.authority
	}
	if agent := d.conn.opts.UserAgent; agent != "" {
		r.Header.Set("User-Agent", agent)
	}
	res, err := d.transport.RoundTrip(call.traced(r))
	if err != nil {
		return nil, d.failure(r, err)
	}
	call.sawHeader(res.Header)
	res.Body = body{res.Body, r.Context()}
	return res, nil
}

// failure returns the error of a request without a response.
func (d doer) failure(r *http.Request, err error) error {
	var dialing *net.OpError
	switch {
	case r.Context().Err() != nil:
		return r.Context().Err()
	case strings.HasPrefix(err.Error(), "stream error: "): // its code in HTTP/2 says more
		return err
	case errors.As(err, &dialing) && dialing.Op == "dial":
	case d.conn.opts.Transport == nil && r.URL.Scheme == "http" && d.transport == d.conn.duplex:
		err = fmt.Errorf("HTTP/2 without TLS: %w", err)
	}
	return connect.NewError(connect.CodeUnavailable, err)
}

// body is the body of a response.
type body struct {
	io.ReadCloser
	ctx context.Context
}

// Read implements [io.Reader]. connect takes a connection that is reset for one that
// the caller has closed.
func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && b.ctx.Err() == nil && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)) {
		err = connect.NewError(connect.CodeUnavailable, err)
	}
	return n, err
}

type traceKey struct{}

func traceOf(ctx context.Context) *trace { return ctx.Value(traceKey{}).(*trace) }
