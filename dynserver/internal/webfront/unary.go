package webfront

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/handlers"
)

// unaryConn is the conn of a unary call of Connect. connect has received the request
// and sends the response when the call has ended.
type unaryConn struct {
	connect.CallInfo

	request  *frame // nil when it has been received
	response *frame
	result   connect.Response[frame] // of response
}

// emptyResponse has a header and a trailer, which nothing changes: connect would make
// them for each call.
var emptyResponse = func() connect.Response[frame] {
	r := connect.NewResponse[frame](nil)
	r.Header()
	r.Trailer()
	return *r
}()

func (c *unaryConn) Receive(v any) error {
	if c.request == nil {
		return io.EOF
	}
	*v.(*frame) = *c.request //nolint:forcetypeassert // a call receives frames
	c.request = nil
	return nil
}

// Send keeps the response. Connect's unary protocol cannot send a header before it.
func (c *unaryConn) Send(v any) error {
	if v != nil {
		c.response = v.(*frame) //nolint:forcetypeassert // a call sends frames
	}
	return nil
}

// serveUnary serves a unary call of Connect.
func serveUnary(ctx context.Context, req *connect.Request[frame]) (*connect.Response[frame], error) {
	info, _ := connect.CallInfoForHandlerContext(ctx)
	e := exchangeIn(ctx)
	conn := &e.unary
	conn.CallInfo, conn.request = info, req.Msg
	if err := serve(ctx, e, connect.ProtocolConnect, conn); err != nil {
		return nil, err
	}
	if req.HTTPMethod() == http.MethodGet {
		if err := conn.checkModified(req.Header()); err != nil {
			return nil, err
		}
	}
	conn.result = emptyResponse // metadata is in CallInfo
	conn.result.Msg = conn.response
	return &conn.result, nil
}

// readOnly reports whether a method may be called by GET.
func readOnly(m *handlers.Method) bool {
	options, ok := m.Options().(*descriptorpb.MethodOptions)
	return ok && options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS
}

// checkModified gives the response an entity tag, unless the handler did. The error is
// connect's for a caller that has the response already.
func (c *unaryConn) checkModified(request http.Header) error {
	header := c.ResponseHeader()
	if len(header["Etag"]) == 0 {
		header["Etag"] = []string{c.entityTag()}
	}
	for _, list := range request["If-None-Match"] {
		for tag := range strings.SplitSeq(list, ",") {
			if tag = strings.TrimSpace(tag); tag == "*" || weak(tag) == weak(header["Etag"][0]) {
				c.response.data.Free()
				return connect.NewNotModifiedError(nil)
			}
		}
	}
	return nil
}

// weak returns what two tags are compared by for GET (RFC 9110, section 13.1.2).
func weak(tag string) string { return strings.TrimPrefix(tag, "W/") }

// entityTag returns a tag of the response's content. It is weak because the response
// may be compressed or not.
func (c *unaryConn) entityTag() string {
	hash := sha256.New()
	if c.response.text != nil {
		_, _ = hash.Write(c.response.text.Bytes())
	}
	for _, part := range c.response.data {
		_, _ = hash.Write(part.ReadOnlyData())
	}
	return `W/"` + base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:18]) + `"`
}
