package grpcfront

import (
	"log/slog"
	"math"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
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
	// (RFC 9113, section 6.5.2). A call with more is refused with
	// RESOURCE_EXHAUSTED; one with 1 MiB more than that ends the connection.
	// Default 64 KiB.
	MaxHeaderBytes uint32

	// MaxHeldBytes bounds the memory that callers hold, all together and
	// estimated: calls in progress, their metadata, unfinished metadata, and
	// answers that were not read yet. Beyond it the connections that hold the
	// most are ended, with GOAWAY (ENHANCE_YOUR_CALM); until they are, calls of
	// connections that hold more than the average get RESOURCE_EXHAUSTED.
	// Default 128 MiB.
	MaxHeldBytes int64

	// MaxResets bounds how many calls a second a client may reset on one
	// connection, besides as many as were answered; five seconds' worth may come at
	// once. Other frames that do nothing for a call count as well. Beyond it the
	// connection is ended, as above. Default 200.
	MaxResets int

	// MaxInflation bounds how many bytes a minute the compressed requests of one
	// connection may grow by, beyond 50 times their size; a minute's worth, and at
	// least three times MaxRecvBytes, may come at once. Beyond it the connection is
	// ended, as above. It holds for gzip. Default 16 MiB.
	MaxInflation int

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

	// Credentials are those of the server, for TLS. Default: none.
	Credentials credentials.TransportCredentials

	// Interceptors run around every call, the first outermost: unary ones
	// included, and those of health, reflection and channelz. Their
	// grpc.StreamServerInfo tells the method's true shape.
	// Middleware (package handlers) serves all fronts; interceptors are for
	// what exists for grpc-go already.
	Interceptors []grpc.StreamServerInterceptor

	// StatsHandlers observe every call (OpenTelemetry's, for example). Their
	// stats.Begin tells the method's true shape.
	StatsHandlers []stats.Handler

	// ServerOptions are given to grpc.NewServer last. Interceptors, stats handlers
	// and credentials belong into the fields above: with credentials among these
	// options MaxHeldBytes, MaxResets and MaxInflation do nothing. The tap handle
	// is taken.
	ServerOptions []grpc.ServerOption
}

// serverOptions are the options of a grpc.Server as grpc has them.
func (o Options) serverOptions(s *Server) []grpc.ServerOption {
	opts := []grpc.ServerOption{
		grpc.Creds(s.limiter),
		grpc.InTapHandle(s.limiter.tap),
		grpc.RPCDecompressor(s.codec.packed), //nolint:staticcheck // others are the whole process's
		grpc.MaxRecvMsgSize(o.maxRecv()),
		grpc.MaxSendMsgSize(def(o.MaxSendBytes, math.MaxInt32)),
		grpc.MaxHeaderListSize(uint32(min(s.limiter.limits.header+largestHeader, math.MaxInt32))), //nolint:gosec // positive
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
		opts = append(opts, grpc.ChainStreamInterceptor(s.trueInfo), grpc.ChainStreamInterceptor(o.Interceptors...))
	}
	for _, h := range o.StatsHandlers {
		opts = append(opts, grpc.StatsHandler(trueStats{Handler: h, server: s}))
	}
	return append(opts, o.ServerOptions...)
}

func (o Options) maxRecv() int { return def(o.MaxRecvBytes, 4<<20) }

// limiter keeps the limits on what connections do over time and together.
func (o Options) limiter(log *slog.Logger) *limiter {
	return newLimiter(o.Credentials, limits{
		held:      def(o.MaxHeldBytes, 128<<20),
		resets:    float64(def(o.MaxResets, 200)),
		inflation: float64(def(o.MaxInflation, 16<<20)),
		recv:      o.maxRecv(),
		header:    int(def(o.MaxHeaderBytes, 64<<10)),
	}, log)
}

func def[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
