package dynserver

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/stats"
)

// GRPCOptions are the settings of the gRPC front. The zero value of each field means
// its default.
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

	// MaxHeldBytes bounds the memory that all callers together hold. It is an
	// estimate of calls in progress, their metadata, incomplete metadata, and unread
	// answers. Beyond it the connections that hold the most are ended with GOAWAY
	// (ENHANCE_YOUR_CALM). Until then, calls of connections that hold more than the
	// average get RESOURCE_EXHAUSTED. Default 128 MiB.
	MaxHeldBytes int64

	// MaxResets bounds how many calls a second a client may reset on one connection.
	// Each answered call allows one more. The resets of five seconds may come at
	// once. Other frames that do no work for a call count as resets. Beyond the limit
	// the connection is ended, as above. Default 200.
	MaxResets int

	// MaxInflation bounds by how many bytes a minute the compressed requests of one
	// connection may grow when they are decompressed, beyond 50 times their size. The
	// bytes of a minute, and at least three times MaxRecvBytes, may come at once.
	// Beyond the limit the connection is ended, as above. It applies to gzip.
	// Default 16 MiB.
	MaxInflation int

	// MaxConcurrentStreams bounds the calls in progress on one connection. Clients
	// delay further calls. Default 1000.
	MaxConcurrentStreams uint32

	// ConnectionTimeout bounds the handshake of a new connection. Default 20 s.
	ConnectionTimeout time.Duration

	// MinPingInterval is how often a client may send keepalive pings, with or
	// without calls in progress, before its connection is closed. Default 10 s.
	MinPingInterval time.Duration

	// PingAfterIdle is how long a connection may be silent before the server pings
	// the client. The connection is closed if the client does not answer within
	// PingTimeout. Defaults 2 min and 20 s.
	PingAfterIdle, PingTimeout time.Duration

	// MaxConnectionAge, if set, makes clients reconnect after this time, so that a
	// load balancer can distribute them again. Calls in progress may then take
	// MaxConnectionAgeGrace longer. Default: no limit.
	MaxConnectionAge, MaxConnectionAgeGrace time.Duration

	// StreamWorkers is the number of goroutines that are kept ready to serve calls,
	// which saves growing a stack for each call. Further calls get goroutines of
	// their own. Default 64; negative for none.
	StreamWorkers int

	// Credentials are the server's transport credentials, such as TLS. Default: none.
	Credentials credentials.TransportCredentials

	// Interceptors run around every call, the first outermost, unary calls included.
	// The grpc.StreamServerInfo has the method's true shape. They are for existing
	// grpc-go code; middleware (package handlers) works for all fronts.
	Interceptors []grpc.StreamServerInterceptor

	// StatsHandlers observe every call, for example OpenTelemetry's. The stats.Begin
	// has the method's true shape.
	StatsHandlers []stats.Handler

	// ServerOptions are passed to grpc.NewServer last. Use the fields above for
	// interceptors, stats handlers and credentials: with credentials among these
	// options MaxHeldBytes, MaxResets and MaxInflation have no effect. The tap handle
	// is in use.
	//
	// Unary interceptors would never run here, so [New] refuses them: put a stream
	// interceptor in Interceptors, or use middleware. To find unary interceptors, New
	// makes one call of dyngate.internal.Probe/Unary, which stats handlers among
	// these options see.
	ServerOptions []grpc.ServerOption
}
