package webfront

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver/internal/httpcall"
	"github.com/dyngate/dyngate/handlers"
)

// conn is what a call needs of connect.
type conn interface {
	Receive(frame any) error
	Send(frame any) error
	ResponseHeader() http.Header
	ResponseTrailer() http.Header
}

// call is a handlers.Call of any shape and protocol.
type call struct {
	ctx      context.Context //nolint:containedctx // of the call, to tell why reading failed
	conn     conn
	exchange *exchange
	protocol string

	receiving sync.Mutex
	in        frame
	over      atomic.Bool

	sending sync.Mutex // guards Send of conn; is locked before mu
	out     frame

	mu              sync.Mutex
	header, trailer metadata.MD // that are still to be given to conn
	sent            bool        // the header
}

// serve serves a call to its end.
func serve(ctx context.Context, e *exchange, protocol string, on conn) error {
	if err := httpcall.Check(e.r.Header); err != nil {
		return connectError(err, e.route.Method, protocol)
	}
	c := &e.call
	c.ctx, c.conn, c.exchange, c.protocol = ctx, on, e, protocol
	e.serving = true
	err := e.route.ServeIn(ctx, &e.outer, c)
	c.end()
	if err != nil {
		return connectError(err, e.route.Method, protocol)
	}
	return nil
}

// end gives conn back, which connect uses from here on. A handler may have left
// goroutines behind that still receive or send.
func (c *call) end() {
	c.over.Store(true)
	idle := c.receiving.TryLock()
	if !idle && http.NewResponseController(c.exchange.w).SetReadDeadline(past) == nil {
		c.receiving.Lock()
		idle = true
	}
	if idle {
		defer c.receiving.Unlock()
	}
	c.sending.Lock()
	defer c.sending.Unlock()
	c.exchange.serving = false
	c.giveHeader()
	if len(c.trailer) > 0 {
		httpcall.Add(c.conn.ResponseTrailer(), c.trailer)
	}
}

func (c *call) Method() *handlers.Method { return c.exchange.route.Method }

func (c *call) Peer() handlers.Peer { return httpcall.Peer(c.exchange.r, c.protocol) }

func (c *call) Header() metadata.MD {
	md, _ := httpcall.Metadata(c.exchange.r) // has been checked
	return md
}

var errOver = status.Error(codes.Internal, "the call is over")

func (c *call) Recv() (mem.BufferSlice, error) {
	c.receiving.Lock()
	defer c.receiving.Unlock()
	if c.over.Load() {
		return nil, errOver
	}
	c.in = frame{}
	if err := c.conn.Receive(&c.in); err != nil {
		return nil, c.recvError(err)
	}
	if c.in.text == nil { // it is protobuf, or the empty message of a stream, which connect does not decode
		return c.in.data, nil
	}
	wire, err := toWire(c.Method(), c.in.text)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return wire, nil
}

// recvError returns an error of connect as io.EOF or with a status.
func (c *call) recvError(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	if ended := c.ctx.Err(); ended != nil { // then it is why reading failed
		return status.FromContextError(ended).Err()
	}
	return statusError(err)
}

func (c *call) Send(data mem.BufferSlice) error {
	out := frame{data: data}
	if c.exchange.json {
		text, err := toJSON(c.Method(), data)
		if err != nil {
			return &jsonError{err}
		}
		out = frame{text: text}
	}
	c.sending.Lock()
	defer c.sending.Unlock()
	if c.over.Load() {
		out.data.Free()
		return errOver
	}
	c.giveHeader()
	c.out = out
	return statusError(c.conn.Send(&c.out))
}

func (c *call) SetHeader(md metadata.MD) error {
	if err := httpcall.Valid(md); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sent {
		return status.Error(codes.Internal, "the header has been sent")
	}
	c.header = metadata.Join(c.header, md)
	return nil
}

func (c *call) SendHeader(md metadata.MD) error {
	if err := c.SetHeader(md); err != nil {
		return err
	}
	c.sending.Lock()
	defer c.sending.Unlock()
	if c.over.Load() {
		return errOver
	}
	c.giveHeader()
	return statusError(c.conn.Send(nil))
}

func (c *call) SetTrailer(md metadata.MD) {
	if httpcall.Valid(md) != nil {
		return // as grpc-go
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trailer = metadata.Join(c.trailer, md)
}

// giveHeader gives the header to conn, once.
func (c *call) giveHeader() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sent {
		return
	}
	c.sent = true
	if len(c.header) > 0 {
		httpcall.Add(c.conn.ResponseHeader(), c.header)
	}
}

// streams is an interceptor that serves the calls of a stream handler.
type streams struct{}

// WrapUnary implements connect.Interceptor.
func (streams) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc { return next }

// WrapStreamingClient implements connect.Interceptor.
func (streams) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler implements connect.Interceptor.
func (streams) WrapStreamingHandler(connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		return serve(ctx, exchangeIn(ctx), conn.Peer().Protocol, conn)
	}
}
