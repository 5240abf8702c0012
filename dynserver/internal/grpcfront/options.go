package grpcfront

import (
	"math"
	"time"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // callers may compress; answers then are, too
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"
)

// Options are the settings of the gRPC front. The zero value of each field
// stands for its default.
type Options struct {
	// MaxRecvBytes bounds a request message, after decompression. A larger one
	// ends its call with RESOURCE_EXHAUSTED. Default 4 MiB.
	MaxRecvBytes int

	// MaxSendBytes bounds a response message, before compression. A larger one
	// ends its call with RESOURCE_EXHAUSTED. Default 2 GiB - 1.
	MaxSendBytes int

	// MaxHeaderBytes bounds the metadata of a call, counted as HTTP/2 does
	// (RFC 9113, section 6.5.2). Default 64 KiB.
	MaxHeaderBytes uint32

	// MaxConcurrentStreams bounds the calls in progress on one connection;
	// clients hold further calls back. Default 1000.
	MaxConcurrentStreams uint32

	// ConnectionTimeout bounds the handshake of a new connection. Default 20 s.
	ConnectionTimeout time.Duration

	// MinPingInterval is how often a client may send keepalive pings, with or
	// without calls in progress, before its connection is closed. Default 10 s.
	MinPingInterval time.Duration

	// PingAfterIdle is how long a connection may be silent before the server
	// asks whether the client still lives; one that does not answer within
	// PingTimeout is closed. Defaults 2 min and 20 s.
	PingAfterIdle, PingTimeout time.Duration

	// MaxConnectionAge, when set, asks clients to reconnect after this long
	// (so that a load balancer can spread them anew); calls in progress may
	// then take MaxConnectionAgeGrace longer. Default: no limit.
	MaxConnectionAge, MaxConnectionAgeGrace time.Duration

	// StreamWorkers is the number of goroutines that stand ready to serve
	// calls, which saves growing a new stack for each. Calls beyond them get a
	// goroutine of their own. Default 64; negative for none.
	StreamWorkers int

	// Interceptors run around every call, the first outermost: unary ones
	// included, and those of health, reflection and channelz. Their
	// grpc.StreamServerInfo tells the method's true shape. Around a unary call of
	// health and channelz the stream has a context, but no messages.
	// Middleware (package handlers) serves all fronts; interceptors are for
	// what exists for grpc-go already.
	Interceptors []grpc.StreamServerInterceptor

	// StatsHandlers observe every call (OpenTelemetry's, for example). Their
	// stats.Begin tells the method's true shape.
	StatsHandlers []stats.Handler

	// ServerOptions are given to grpc.NewServer last: credentials, for example.
	// Interceptors and stats handlers belong into the fields above.
	ServerOptions []grpc.ServerOption
}

// serverOptions are the options of a grpc.Server as grpc has them.
func (o Options) serverOptions(s *Server) []grpc.ServerOption {
	opts := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(def(o.MaxRecvBytes, 4<<20)),
		grpc.MaxSendMsgSize(def(o.MaxSendBytes, math.MaxInt32)),
		grpc.MaxHeaderListSize(def(o.MaxHeaderBytes, 64<<10)),
		grpc.MaxConcurrentStreams(def(o.MaxConcurrentStreams, 1000)),
		grpc.ConnectionTimeout(def(o.ConnectionTimeout, 20*time.Second)),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
			MinTime:             def(o.MinPingInterval, 10*time.Second),
			PermitWithoutStream: true,
		}),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time:                  def(o.PingAfterIdle, 2*time.Minute),
			Timeout:               def(o.PingTimeout, 20*time.Second),
			MaxConnectionAge:      o.MaxConnectionAge,
			MaxConnectionAgeGrace: o.MaxConnectionAgeGrace,
		}),
	}
	if workers := def(o.StreamWorkers, 64); workers > 0 {
		opts = append(opts, grpc.NumStreamWorkers(uint32(workers))) //nolint:gosec // positive
	}
	if len(o.Interceptors) > 0 {
		opts = append(opts,
			grpc.ChainStreamInterceptor(s.trueInfo), grpc.ChainStreamInterceptor(o.Interceptors...),
			grpc.UnaryInterceptor(asUnary(o.Interceptors)))
	}
	for _, h := range o.StatsHandlers {
		opts = append(opts, grpc.StatsHandler(trueStats{Handler: h, server: s}))
	}
	return append(opts, o.ServerOptions...)
}

func def[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
