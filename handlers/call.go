package handlers

import (
	"context"
	"crypto/tls"
	"net"

	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"

	"github.com/dyngate/dyngate/internal/callkey"
)

// Call is an RPC in progress. Its messages are in protobuf's binary format,
// whatever the caller's protocol and format.
//
// One goroutine may call Recv while another calls Send, but two goroutines must
// not call the same one at once. The other methods may be called at any time.
type Call interface {
	// Method returns the method of the call, from the generation in which the call
	// started.
	Method() *Method

	// Peer returns a description of the caller.
	Peer() Peer

	// Header returns the metadata of the request, with keys in lower case. The
	// caller owns the result.
	Header() metadata.MD

	// Recv returns the next request message. The caller owns it and must Free it.
	// After the last one the error is io.EOF. For a method that does not stream
	// its requests, Recv checks that there is exactly one.
	Recv() (mem.BufferSlice, error)

	// SetHeader adds to the metadata that is sent before the first response
	// message. It fails if that has been sent.
	SetHeader(metadata.MD) error

	// SendHeader is like SetHeader, but sends the metadata now.
	SendHeader(metadata.MD) error

	// SetTrailer adds to the metadata that is sent with the status, on success and
	// on error.
	SetTrailer(metadata.MD)

	// Send sends a response message and takes ownership of it, even if it fails.
	// For a method that does not stream its responses, the message is sent when
	// the handler returns nil, so that an error is sent without it. An error means
	// that the RPC is over; the handler should return it.
	Send(mem.BufferSlice) error
}

// Peer describes the caller of a method.
type Peer struct {
	// Protocol is the caller's protocol: "grpc", "grpcweb", "connect", "http" for
	// HTTP/JSON, or "websocket".
	Protocol string

	// Addr is the caller's address, LocalAddr the server's. Either may be nil.
	Addr, LocalAddr net.Addr

	// TLS is the state of the connection; nil without TLS. It must not be changed.
	TLS *tls.ConnectionState
}

// CallFrom returns the call that a handler or middleware serves, for its peer
// and metadata. ctx must be the context of that handler or middleware, or
// derived from it; otherwise CallFrom returns nil. A typed handler must not
// call Recv and Send: its adapter does.
func CallFrom(ctx context.Context) Call {
	call, _ := ctx.Value(callkey.Key{}).(Call)
	return call
}

// MethodFrom returns the method of the call that [CallFrom] returns, or nil.
func MethodFrom(ctx context.Context) *Method {
	if call := CallFrom(ctx); call != nil {
		return call.Method()
	}
	return nil
}

// NewContext returns a context for which [CallFrom] returns call. It is for
// tests of handlers; servers make the contexts of their calls.
func NewContext(ctx context.Context, call Call) context.Context {
	return context.WithValue(ctx, callkey.Key{}, call)
}
