package framing

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/coder/websocket"
)

// Subprotocol is the WebSocket subprotocol. Clients need not ask for it, but those
// that ask for subprotocols must include it.
const Subprotocol = "dyngate.json.v1"

// authorizationProtocol begins the subprotocol that carries credentials.
const authorizationProtocol = "dyngate.authorization."

// IsUpgrade reports whether a request asks for a WebSocket.
func IsUpgrade(r *http.Request) bool {
	return r.ProtoMajor == 1 && r.Method == http.MethodGet && hasToken(r.Header["Upgrade"], "websocket") && hasToken(r.Header["Connection"], "upgrade")
}

func hasToken(values []string, token string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(trim(part), token) {
				return true
			}
		}
	}
	return false
}

// Authorization returns the value for the header Authorization that a request passes
// as the subprotocol "dyngate.authorization." followed by the value in base64url
// without padding. Pages in browsers cannot set headers of WebSockets.
func Authorization(r *http.Request) (value string, ok bool) {
	encoded, found := credentials(r)
	if !found {
		return "", false
	}
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || bytes.ContainsFunc(text, unicode.IsControl) { // as in a header
		return "", false
	}
	return string(text), true
}

// credentials returns what follows authorizationProtocol in a request.
func credentials(r *http.Request) (encoded string, found bool) {
	for _, header := range r.Header["Sec-Websocket-Protocol"] {
		for name := range strings.SplitSeq(header, ",") {
			if encoded, found = strings.CutPrefix(trim(name), authorizationProtocol); found {
				return encoded, true
			}
		}
	}
	return "", false
}

// HandshakeError is why a request cannot become a WebSocket.
type HandshakeError struct {
	HTTPStatus int
	Problem    string
}

func (e *HandshakeError) Error() string { return e.Problem }

// accept does the handshake.
func (s *Sockets) accept(w http.ResponseWriter, r *http.Request) (*connection, error) {
	if err := s.check(r); err != nil {
		return nil, err
	}
	if !canHijack(w) {
		return nil, &HandshakeError{http.StatusNotImplemented, "a middleware of the server prevents WebSockets: it hides http.Hijacker"}
	}
	up := &upgrade{ResponseWriter: w}
	conn, err := websocket.Accept(up, r, &websocket.AcceptOptions{
		Subprotocols:       []string{Subprotocol},
		InsecureSkipVerify: true, // check has seen the origin
	})
	if err != nil {
		return nil, &HandshakeError{max(up.status, http.StatusBadRequest), strings.TrimPrefix(err.Error(), "failed to accept WebSocket connection: ")}
	}
	_ = up.conn.SetDeadline(time.Time{}) // net/http's
	return &connection{socket: newSocket(conn, up.conn, s.opts.MaxBytes, s.opts.WriteTimeout), net: up.conn}, nil
}

// canHijack reports whether a handler's ResponseWriter can give the connection away.
func canHijack(w http.ResponseWriter) bool {
	for {
		switch v := w.(type) {
		case http.Hijacker:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = v.Unwrap()
		default:
			return false
		}
	}
}

// check checks the parts of a handshake that the library does not.
func (s *Sockets) check(r *http.Request) error {
	if origin := r.Header.Get("Origin"); origin != "" && !sameHost(origin, r.Host) &&
		(s.opts.AllowOrigin == nil || !s.opts.AllowOrigin(r, origin)) {
		return &HandshakeError{http.StatusForbidden, fmt.Sprintf("pages of %q may not connect", origin)}
	}
	if asked := r.Header["Sec-Websocket-Protocol"]; len(asked) > 0 && !hasToken(asked, Subprotocol) {
		return &HandshakeError{http.StatusBadRequest, "the subprotocols must include " + Subprotocol}
	}
	if _, passed := credentials(r); passed {
		if _, ok := Authorization(r); !ok {
			return &HandshakeError{http.StatusBadRequest, "the subprotocol " + authorizationProtocol + " must be followed by the value of a header in base64url, without padding"}
		}
	}
	return nil
}

func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}

// upgrade is the ResponseWriter of a handshake. It keeps the connection, and holds
// back the library's own errors.
type upgrade struct {
	http.ResponseWriter
	status int
	conn   net.Conn
}

func (u *upgrade) WriteHeader(status int) {
	if u.status = status; status == http.StatusSwitchingProtocols {
		u.ResponseWriter.WriteHeader(status)
	}
}

func (u *upgrade) Write(p []byte) (int, error) {
	if u.status == http.StatusSwitchingProtocols {
		return u.ResponseWriter.Write(p)
	}
	return len(p), nil
}

// Hijack implements http.Hijacker.
func (u *upgrade) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(u.ResponseWriter).Hijack()
	u.conn = conn
	return conn, buffers, err
}
