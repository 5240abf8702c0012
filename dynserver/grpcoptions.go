package dynserver

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/stats"
)

// GRPCOptions are the settings of the gRPC front. The zero value of each field
// stands for its default.
type GRPCOptions struct {
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
