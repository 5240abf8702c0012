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

// Options are described at dynserver.GRPCOptions, which has the same fields.
type Options struct {
	MaxRecvBytes                            int
	MaxSendBytes                            int
	MaxHeaderBytes                          uint32
	MaxHeldBytes                            int64
	MaxResets                               int
	MaxInflation                            int
	MaxConcurrentStreams                    uint32
	ConnectionTimeout                       time.Duration
	MinPingInterval                         time.Duration
	PingAfterIdle, PingTimeout              time.Duration
	MaxConnectionAge, MaxConnectionAgeGrace time.Duration
	StreamWorkers                           int
	Credentials                             credentials.TransportCredentials
	Interceptors                            []grpc.StreamServerInterceptor
	StatsHandlers                           []stats.Handler
	ServerOptions                           []grpc.ServerOption
}

// serverOptions returns the options of the grpc.Server.
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

// limiter returns the limiter with the limits of o.
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
