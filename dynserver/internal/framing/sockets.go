package framing

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

// The defaults of SocketOptions.
const (
	DefaultMaxBytes = 4 << 20
	DefaultPing     = 30 * time.Second
)

// SocketOptions are the settings of WebSockets. Zero means the default; negative
// durations mean never.
type SocketOptions struct {
	// AllowOrigin reports whether a browser may connect for a page of another origin.
	// If nil, none may. Pages of the server's own host always may, and so may clients
	// that send no Origin.
	AllowOrigin func(r *http.Request, origin string) bool

	// MaxBytes bounds the documents from the client.
	MaxBytes int64

	// Ping is the time between pings, and the time to answer one.
	Ping time.Duration

	// WriteTimeout is the time within which the client must take a document. The
	// default is DefaultWriteTimeout.
	WriteTimeout time.Duration
}

// Sockets turns requests into WebSockets.
type Sockets struct{ opts SocketOptions }

// NewSockets returns Sockets.
func NewSockets(opts SocketOptions) *Sockets {
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = DefaultMaxBytes
	}
	opts.Ping = orDefault(opts.Ping, DefaultPing)
	opts.WriteTimeout = orDefault(opts.WriteTimeout, DefaultWriteTimeout)
	return &Sockets{opts}
}

// End is the error that ends a stream.
type End struct {
	Code    int    // of google.rpc.Code, from 1 to 16
	Message string // for the close frame, which holds its first 123 bytes
	Status  []byte // a google.rpc.Status in JSON
}

// Serve turns a request into a WebSocket and runs f with it. The ctx of f ends when the
// client goes away. It also ends with the request's context, as when the server stops;
// then the client is told so with 1001 (going away). Otherwise, what f returns ends the
// stream; nil is success. Serve returns when f has returned and the connection is closed.
//
// If the request cannot become a WebSocket, Serve returns a *HandshakeError, to which
// the caller responds. Headers that the response needs are set.
func (s *Sockets) Serve(w http.ResponseWriter, r *http.Request, f func(ctx context.Context, socket *Socket) *End) error {
	c, err := s.accept(w, r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	c.cut = cancel
	defer context.AfterFunc(r.Context(), c.stop)()
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel(nil)
	defer func() { _ = c.socket.conn.CloseNow() }() // also after a panic of f; ends what runs
	running.Go(func() {
		defer close(c.socket.gone)
		c.socket.readErr = c.socket.read()
		cancel(c.socket.readErr)
	})
	running.Go(func() { c.watch(ctx, s.opts.Ping) })
	end := f(ctx, c.socket)
	close(c.socket.over)
	c.finish(ctx, end)
	return nil
}

// connection is a Socket with what its server needs.
type connection struct {
	socket *Socket
	net    net.Conn
	cut    context.CancelCauseFunc
}

// watch sends pings until ctx ends. Then it tells the client why, if the client can
// be told, even if the function of the socket is still busy.
func (c *connection) watch(ctx context.Context, interval time.Duration) {
	if interval > 0 {
		if err := c.socket.ping(ctx, interval); err != nil {
			c.cut(err)
			_ = c.net.Close()
			return
		}
	}
	<-ctx.Done()
	c.explain(ctx)
}

// explain closes the connection with the reason for the end of ctx, if it is one that
// the client can be told.
func (c *connection) explain(ctx context.Context) {
	var why *closing
	if errors.As(context.Cause(ctx), &why) {
		_ = c.socket.conn.Close(why.code, why.reason)
	}
}

// finish tells the client how the stream ended.
func (c *connection) finish(ctx context.Context, end *End) {
	switch {
	case ctx.Err() != nil:
		c.explain(ctx)
	case end == nil:
		_ = c.socket.conn.Close(websocket.StatusNormalClosure, "")
	default:
		if c.socket.Send(context.Background(), FailureDocument(end.Status)) == nil { // has a timeout
			_ = c.socket.conn.Close(websocket.StatusCode(4000+end.Code), cutText(end.Message, 123))
		}
	}
}

// cutText returns at most limit bytes of text, valid UTF-8.
func cutText(text string, limit int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= limit {
		return text
	}
	for !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

// errStopped is why a socket is closed when the context of its request ends.
var errStopped = &closing{websocket.StatusGoingAway, "the server is shutting down"}

// stopTimeout is the time that clients have to answer the last close frame.
const stopTimeout = time.Second

// stop ends the stream because the server stops.
func (c *connection) stop() {
	_ = c.net.SetDeadline(time.Now().Add(stopTimeout))
	c.cut(errStopped)
}
