package httpconn

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"
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
	call := callOf(r.Context())
	if call.authority != "" {
		r.Host = call.authority
	}
	if agent := d.conn.opts.UserAgent; agent != "" {
		r.Header.Set("User-Agent", agent)
	}
	res, err := d.transport.RoundTrip(call.traced(r))
	if err != nil {
		return nil, err
	}
	call.sawHeader(res.Header)
	return res, nil
}

type callKey struct{}

func callOf(ctx context.Context) *stream { return ctx.Value(callKey{}).(*stream) }
