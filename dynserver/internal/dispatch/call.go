package dispatch

import (
	"context"
	"crypto/tls"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/internal/callkey"
)

// callContext is the context in which middleware and handlers run. It adds the call
// to the context of the front, and the values that grpc's functions look for if the
// front is not gRPC's. It also has room for cardinality's shapedCall, so that both
// are one allocation.
type callContext struct {
	context.Context //nolint:containedctx // it is one
	call            handlers.Call
	shaped          shapedCall

	grpc atomic.Pointer[grpcContext] // nil until a value is looked up that Context lacks
}

// grpcContext has the values for grpc's functions.
type grpcContext struct{ context.Context }

// ownKey is the key of the callContext itself.
type ownKey struct{}

// Value implements context.Context.
func (c *callContext) Value(key any) any {
	switch key.(type) {
	case callkey.Key:
		return c.call
	case ownKey:
		return c
	}
	if v := c.Context.Value(key); v != nil {
		return v
	}
	// Most handlers do not need these values, so they are made on first use. If two
	// goroutines make them at once, either result will do.
	own := c.grpc.Load()
	if own == nil {
		own = newGRPCContext(c)
		c.grpc.Store(own)
	}
	return own.Value(key)
}

// shapedIn returns the shapedCall of a context. Middleware may have wrapped the
// context.
func shapedIn(ctx context.Context) *shapedCall {
	c, ok := ctx.(*callContext)
	if !ok {
		c, ok = ctx.Value(ownKey{}).(*callContext)
	}
	if !ok {
		return new(shapedCall)
	}
	return &c.shaped
}

// newGRPCContext makes a context in which functions such as
// metadata.FromIncomingContext, peer.FromContext and grpc.SetHeader find the call. It
// is empty if the front is gRPC's, which has made one already.
func newGRPCContext(c *callContext) *grpcContext {
	ctx := context.Background()
	if grpc.ServerTransportStreamFromContext(c.Context) != nil {
		return &grpcContext{ctx}
	}
	ctx = metadata.NewIncomingContext(ctx, c.call.Header())
	ctx = grpc.NewContextWithServerTransportStream(ctx, transportStream{c.call})
	from := c.call.Peer()
	return &grpcContext{peer.NewContext(ctx, &peer.Peer{Addr: from.Addr, LocalAddr: from.LocalAddr, AuthInfo: authInfo(from.TLS)})}
}

func authInfo(state *tls.ConnectionState) credentials.AuthInfo {
	if state == nil {
		return nil
	}
	return credentials.TLSInfo{
		State:          *state,
		CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
	}
}

// transportStream implements grpc.ServerTransportStream for a call.
type transportStream struct{ call handlers.Call }

func (s transportStream) Method() string                  { return "/" + s.call.Method().Path() }
func (s transportStream) SetHeader(md metadata.MD) error  { return s.call.SetHeader(md) }
func (s transportStream) SendHeader(md metadata.MD) error { return s.call.SendHeader(md) }

func (s transportStream) SetTrailer(md metadata.MD) error {
	s.call.SetTrailer(md)
	return nil
}
