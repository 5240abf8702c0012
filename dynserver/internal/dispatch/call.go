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

// callContext is the context of a call on its route, for middleware and handlers
// alike: that of the front, with the call, and with what grpc's functions look for
// if the front is not grpc's. It also has room for what cardinality keeps of the
// call, so that both are one allocation.
type callContext struct {
	context.Context //nolint:containedctx // it is one
	call            handlers.Call
	shaped          shapedCall

	grpc atomic.Pointer[grpcContext] // nil until somebody asks for what Context has not
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
	// Most handlers never ask, so the values are made for the first who does. If
	// two make them at once either will do.
	own := c.grpc.Load()
	if own == nil {
		own = newGRPCContext(c)
		c.grpc.Store(own)
	}
	return own.Value(key)
}

// shapedIn returns where to keep the shape of a call. Middleware may have put a
// context of its own in between.
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

// newGRPCContext makes a context in which metadata.FromIncomingContext,
// peer.FromContext, grpc.SetHeader and their like find the call. It is empty if
// the front is grpc's.
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

// transportStream is a call as a grpc.ServerTransportStream.
type transportStream struct{ call handlers.Call }

func (s transportStream) Method() string                  { return "/" + s.call.Method().Path() }
func (s transportStream) SetHeader(md metadata.MD) error  { return s.call.SetHeader(md) }
func (s transportStream) SendHeader(md metadata.MD) error { return s.call.SendHeader(md) }

func (s transportStream) SetTrailer(md metadata.MD) error {
	s.call.SetTrailer(md)
	return nil
}
