package restfront

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/dynserver/internal/httpcall"
	"github.com/dyngate/dyngate/handlers"
)

// call is a handlers.Call of an HTTP request.
type call struct {
	front    *Front
	endpoint *endpoint
	w        http.ResponseWriter
	r        *http.Request
	ctx      context.Context         //nolint:containedctx // of the call
	cancel   context.CancelCauseFunc // of ctx, if the body is read ahead
	socket   bool                    // the caller asks for a WebSocket

	outer  dispatch.Context // that handlers see, around ctx
	only   httpcall.Small   // the only request, if it is small
	values []string         // of the variables of the path
	room   [4]string        // for values

	// These belong to Recv.
	body     connBody
	source   source // of the requests; nil for one request
	received bool
	masked   bool // the query sets the update mask
	checked  bool // the document has all required fields

	sendMu    sync.Mutex // held by Send and SendHeader
	sink      sink       // of the responses; nil for one response
	reply     *scratch   // the one response in its text
	replyType []string   // its content type

	interrupted atomic.Bool // the context has ended while a body was read

	mu        sync.Mutex
	over      bool // the handler has returned
	receiving bool
	begun     bool // the header has been sent
	header    metadata.MD
	trailer   metadata.MD
	refused   *refusal // the last error of Recv
	ahead     *ahead   // reads the body; nil for most
}

// source returns the requests of a stream, and io.EOF after the last one.
type source interface {
	next(c *call) (mem.BufferSlice, error)
}

// sink takes the responses of a stream.
type sink interface {
	// send takes a response.
	send(c *call, msg []byte) error

	// begin sends the header.
	begin(c *call) error

	// finish ends the stream. err has a status, or is nil.
	finish(c *call, err error)
}

// Method implements handlers.Call.
func (c *call) Method() *handlers.Method { return c.endpoint.route.Method }

// Peer implements handlers.Call.
func (c *call) Peer() handlers.Peer {
	if c.socket {
		return httpcall.Peer(c.r, "websocket")
	}
	return httpcall.Peer(c.r, "http")
}

// Header implements handlers.Call.
func (c *call) Header() metadata.MD { return c.front.headers.metadata(c.r) }

// Recv implements handlers.Call.
func (c *call) Recv() (mem.BufferSlice, error) {
	if err := c.startRecv(); err != nil {
		return nil, err
	}
	defer c.endRecv()
	var data mem.BufferSlice
	var err error
	if c.source == nil && c.endpoint.manyIn && c.endpoint.takesBody() {
		c.source, err = c.openSource()
	}
	switch {
	case err != nil:
	case c.source != nil:
		data, err = c.source.next(c)
	case c.received:
		return nil, io.EOF
	default:
		c.received = true
		data, err = c.request()
	}
	if err != nil && err != io.EOF {
		c.note(err)
	}
	return data, err
}

// lost ends the call, whose caller has gone away or is too slow.
func (c *call) lost(err error) {
	if _, ok := status.FromError(err); !ok {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errEarly
		} else {
			err = errGone
		}
	}
	c.cancel(err)
}

// note keeps the refusal of a request: its status alone does not tell its HTTP status.
func (c *call) note(err error) {
	var refused *refusal
	if errors.As(err, &refused) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.over {
			c.refused = refused
		}
	}
}

// SetHeader implements handlers.Call.
func (c *call) SetHeader(md metadata.MD) error {
	if len(md) == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.begun || c.over {
		return status.Error(codes.Internal, "the header has been sent")
	}
	if err := httpcall.Valid(md); err != nil {
		return err
	}
	c.header = metadata.Join(c.header, md)
	return nil
}

// SendHeader implements handlers.Call. The header of a single response is sent with
// its HTTP status, when the handler has returned.
func (c *call) SendHeader(md metadata.MD) error {
	if err := c.SetHeader(md); err != nil {
		return err
	}
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	if err := c.canSend(); err != nil {
		return err
	}
	if c.sink != nil {
		return c.sink.begin(c)
	}
	c.takeHeader() // it is sent later, but as it is now
	return nil
}

// takeHeader returns the metadata for the header of the response, which can be changed
// no more.
func (c *call) takeHeader() metadata.MD {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun = true
	return c.header
}

// SetTrailer implements handlers.Call.
func (c *call) SetTrailer(md metadata.MD) {
	if len(md) == 0 || httpcall.Valid(md) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.trailer = metadata.Join(c.trailer, md)
	}
}

// Send implements handlers.Call.
func (c *call) Send(data mem.BufferSlice) error {
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	if err := c.canSend(); err != nil {
		data.Free()
		return err
	}
	return c.sendOn(data)
}

// sendOn sends a response that is in one buffer, as most are.
func (c *call) sendOn(data mem.BufferSlice) error {
	defer data.Free()
	var msg []byte
	if len(data) == 1 {
		msg = data[0].ReadOnlyData()
	} else {
		whole := data.MaterializeToBuffer(pool)
		defer whole.Free()
		msg = whole.ReadOnlyData()
	}
	if c.sink != nil {
		return c.sink.send(c, msg)
	}
	return c.keep(msg)
}
