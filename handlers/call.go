package handlers

import (
	"context"
	"crypto/tls"
	"net"

	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"

	"github.com/dyngate/dyngate/internal/callkey"
)

// Call is one RPC in progress, its messages as protobuf wire bytes, whatever
// protocol and format the caller speaks.
//
// One goroutine may Recv while another Sends; neither method may be called by
// two goroutines at once. The others may be called at any time.
type Call interface {
	// Method is the method that is called, as the generation in which the call
	// began knows it.
	Method() *Method

	// Peer describes the caller.
	Peer() Peer

	// Header returns the metadata of the request, its keys in lower case. The
	// caller owns the result.
	Header() metadata.MD

	// Recv returns the next request message. The caller owns it and must Free
	// it. After the last one the error is io.EOF. For a method that does not
	// stream its requests, Recv makes sure that there is exactly one.
	Recv() (mem.BufferSlice, error)

	// SetHeader adds to the metadata that is sent before the first response
	// message. It fails once that has been sent.
	SetHeader(metadata.MD) error

	// SendHeader is SetHeader, and sends the metadata now.
	SendHeader(metadata.MD) error

	// SetTrailer adds to the metadata that is sent with the status, on success
	// as on error.
	SetTrailer(metadata.MD)

	// Send sends a response message and takes ownership of it, also when it
	// fails. For a method that does not stream its responses the message is
	// held back until the handler returns nil, so that an error is sent alone.
	// An error means that the RPC is over; the handler should return it.
	Send(mem.BufferSlice) error
}

// Peer describes the caller of a method.
type Peer struct {
	// Protocol is what the caller speaks: "grpc".
	Protocol string

	// Addr is the caller's address, LocalAddr the one that was called. Either
	// may be nil.
	Addr, LocalAddr net.Addr

	// TLS is the state of the connection, nil without TLS. It must not be
	// changed.
	TLS *tls.ConnectionState
}

// CallFrom returns the call that a handler or middleware serves, for its peer and
// metadata. ctx must be the context it was given, or derived from it; otherwise
// CallFrom returns nil. A typed handler leaves Recv and Send to its adapter.
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

// NewContext returns a context whose call is call. A server makes the contexts of
// its calls; NewContext is for tests of handlers.
func NewContext(ctx context.Context, call Call) context.Context {
	return context.WithValue(ctx, callkey.Key{}, call)
}
