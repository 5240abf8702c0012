package framing

import (
	"context"
	"net/http"
	"time"
)

// Subprotocol is the WebSocket subprotocol. Clients need not ask for it.
const Subprotocol = "dyngate.json.v1"

// Sockets accepts WebSockets, and ends them when the server stops. The zero value is not usable; see NewSockets.
type Sockets struct{}

// SocketOptions are the settings of WebSockets. Zero durations mean the defaults, negative ones never.
type SocketOptions struct {
	// AllowOrigin reports whether a browser's page may connect; nil allows pages of
	// the server itself only. Requests without an Origin header are always allowed.
	AllowOrigin func(r *http.Request) bool

	MaxBytes     int64         // of a document from the client, default 4 MiB
	Ping         time.Duration // the interval of pings, default 30 s; the peer has as long to answer
	WriteTimeout time.Duration // in which the peer must take a document; default one minute
}

// NewSockets returns Sockets.
func NewSockets(opts SocketOptions) *Sockets { panic("not written yet") }

// IsUpgrade reports whether a request asks for a WebSocket.
func IsUpgrade(r *http.Request) bool { panic("not written yet") }

// Authorization returns the value of the header Authorization that a browser's page, which cannot set headers of
// WebSockets, passed as subprotocol "dyngate.authorization." + base64url.
func Authorization(r *http.Request) (value string, ok bool) { panic("not written yet") }

// Serve upgrades a request and runs f with the Socket. What f returns ends the stream: a nil end is success.
// Serve returns when the connection is closed. If the request cannot be upgraded, Serve answers it and returns an error; f is not run.
func (s *Sockets) Serve(w http.ResponseWriter, r *http.Request, f func(ctx context.Context, socket *Socket) *End) error {
	panic("not written yet")
}

// End is the error that ends a stream.
type End struct {
	Code    int    // of google.rpc.Code, 1 to 16
	Message string // the reason of the close frame; cut if it is too long
	Status  []byte // a google.rpc.Status in JSON
}

// Shutdown refuses new sockets, waits until all have ended or ctx is done, closes the rest with 1001 (going away), and waits
// until their functions have returned.
func (s *Sockets) Shutdown(ctx context.Context) { panic("not written yet") }

// Socket is a stream of documents in both directions. One goroutine may call Receive while
// another calls Send.
type Socket struct{}

// Receive returns the next document, or io.EOF after the client's last one. The caller owns it.
// ctx of Serve's function is done when the client goes away.
func (s *Socket) Receive(ctx context.Context) ([]byte, error) { panic("not written yet") }

// Done says that no more documents are expected: Receive will not be called any more. A further one
// from the client ends the stream with the error INVALID_ARGUMENT.
func (s *Socket) Done() { panic("not written yet") }

// Send sends a document.
func (s *Socket) Send(ctx context.Context, doc []byte) error { panic("not written yet") }
