package restfront

import (
	"context"
	"errors"
	"io"
	"net/http"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver/internal/framing"
)

// serveSocket serves a request for a WebSocket, which carries methods of all shapes.
func (c *call) serveSocket() {
	if value, ok := framing.Authorization(c.r); ok && c.r.Header["Authorization"] == nil {
		c.r = c.r.Clone(c.r.Context())
		c.r.Header["Authorization"] = []string{value}
	}
	cancel, err := c.context()
	if err != nil {
		c.fail(err)
		return
	}
	defer cancel()
	deadline, timed := c.ctx.Deadline()
	err = c.front.sockets.Serve(c.w, c.r, func(ctx context.Context, socket *framing.Socket) *framing.End {
		c.ctx = ctx
		if timed {
			var cancel context.CancelFunc
			c.ctx, cancel = context.WithDeadline(ctx, deadline)
			defer cancel()
		}
		c.source, c.sink = &socketSource{socket: socket}, socketSink{socket}
		return c.socketEnd(c.run())
	})
	if wrong, ok := errors.AsType[*framing.HandshakeError](err); ok {
		why := refuse(handshakeCode(wrong.HTTPStatus), "%s", wrong.Problem)
		c.front.writeError(c.w, c.r, c.endpoint, why, wrong.HTTPStatus)
	}
}

// handshakeCode returns the code for the HTTP status of a handshake that has failed.
func handshakeCode(httpStatus int) codes.Code {
	switch httpStatus {
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusNotImplemented:
		return codes.Unimplemented
	}
	return codes.InvalidArgument
}

// socketEnd returns the end of a WebSocket for the result of a handler.
func (c *call) socketEnd(err error) *framing.End {
	if err == nil {
		return nil
	}
	st := status.Convert(err)
	return &framing.End{
		Code: int(st.Code()), Message: st.Message(),
		Status: c.front.appendStatus(nil, st, c.endpoint.plans),
	}
}

// socketSource reads requests from a WebSocket: documents as in a body. If the method's
// rule has no body, the documents of a stream are whole requests, and a single
// request comes from the URL alone.
type socketSource struct {
	socket   *framing.Socket
	received bool
}

func (s *socketSource) next(c *call) (mem.BufferSlice, error) {
	if !c.endpoint.manyIn {
		if s.received {
			return nil, io.EOF
		}
		s.received = true
		defer s.socket.Done()
		if !c.endpoint.takesBody() {
			return c.assemble(func(dst []byte, _ *scratch) ([]byte, error) { return dst, nil })
		}
	}
	doc, err := s.socket.Receive(c.ctx)
	if err == io.EOF {
		return nil, io.EOF
	}
	if err != nil {
		if c.ctx.Err() != nil {
			return nil, c.contextError()
		}
		return nil, errGone
	}
	return c.assemble(func(dst []byte, _ *scratch) ([]byte, error) { return c.appendDocument(dst, doc) })
}

// socketSink sends responses on a WebSocket. Metadata is not sent.
type socketSink struct{ socket *framing.Socket }

func (s socketSink) begin(*call) error { return nil }

func (s socketSink) send(c *call, msg []byte) error {
	text := getScratch()
	defer text.free()
	if err := c.encode(text, msg); err != nil {
		return err
	}
	if s.socket.Send(c.ctx, text.text) != nil {
		return errGone
	}
	return nil
}

func (s socketSink) finish(*call, error) {}
