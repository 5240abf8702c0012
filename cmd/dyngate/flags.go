package main

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/internal/certs"
)

// serveFlags are the settings of `dyngate serve`. A limit of zero means the default
// of package dynserver, which the help text shows.
type serveFlags struct {
	grpc      []string
	http      []string
	httpGiven bool // by the user
	httpRules []string
	origins   []string
	tls       certs.Files

	examples     bool
	features     string
	taskInterval time.Duration

	requireHandlers bool

	noWatch      bool
	poll         time.Duration
	lenient      bool
	strictReload bool
	dropComments bool

	removeAfter time.Duration

	drain      time.Duration
	drainDelay time.Duration
	deadline   time.Duration
	channelz   bool
	noPages    bool

	accessLog float64
	logFormat string
	logLevel  string

	limits                                                dynserver.GRPCOptions
	maxConnections, maxRequests                           int
	headerTimeout, bodyTimeout, stallTimeout, idleTimeout time.Duration
	schemas                                               dynserver.SchemaLimits
}

// registerSchemaLimits registers the limits that a legitimate schema may reach.
func registerSchemaLimits(flags *pflag.FlagSet, l *dynserver.SchemaLimits) {
	flags.Int64Var(&l.FileBytes, "max-proto-bytes", 8<<20, "largest .proto file")
	flags.IntVar(&l.Files, "max-proto-files", 100_000, "most .proto files in one PATH")
	flags.Int64Var(&l.SetBytes, "max-set-bytes", 256<<20, "largest descriptor set, after decompression")
	flags.DurationVar(&l.CompileTime, "compile-timeout", time.Minute, "longest time to compile one file")
}

func registerRequireHandlers(flags *pflag.FlagSet, require *bool) {
	flags.BoolVar(require, "require-handlers", false, "make a method without a handler an error")
}

// checkSchemaLimits reports limits that are not valid.
func checkSchemaLimits(l dynserver.SchemaLimits) error {
	if l.FileBytes <= 0 || l.Files <= 0 || l.SetBytes <= 0 || l.CompileTime <= 0 {
		return errors.New("--max-proto-bytes, --max-proto-files, --max-set-bytes and --compile-timeout must be positive")
	}
	return nil
}

func (f *serveFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.grpc, "grpc", []string{"127.0.0.1:50051"},
		"serve gRPC on `ADDR`: host:port, a port of the loopback, or unix:PATH; repeatable; '' for none")
	flags.StringArrayVar(&f.http, "http", []string{defaultHTTP},
		"serve HTTP on `ADDR`, as for --grpc: JSON, Connect, gRPC-Web and gRPC; repeatable; '' for none")
	flags.StringArrayVar(&f.httpRules, "http-rules", nil,
		"read google.api.http rules from `FILE` (YAML), besides the *.http.yaml files in each PATH; repeatable")
	flags.StringArrayVar(&f.origins, "cors-origin", nil,
		"let the pages of `ORIGIN` make calls: https://app.example.com, https://*.example.com, or * for all; repeatable")
	flags.StringVar(&f.tls.Cert, "tls-cert", "", "serve TLS on all addresses, with the certificate in `FILE` (PEM), which may change")
	flags.StringVar(&f.tls.Key, "tls-key", "", "key of the certificate in `FILE` (PEM)")
	flags.StringVar(&f.tls.ClientCA, "client-ca", "", "demand a certificate from clients, signed by one in `FILE` (PEM)")

	flags.BoolVar(&f.examples, "examples", false, "also use the example handlers, for their services that a PATH declares")
	registerRequireHandlers(flags, &f.requireHandlers)
	flags.StringVar(&f.features, "features", "", "JSON `FILE` with the features of the RouteGuide example (default: a small embedded one)")
	flags.DurationVar(&f.taskInterval, "task-interval", 40*time.Second, "how often the Contact example pushes tasks")

	flags.BoolVar(&f.noWatch, "no-watch", false, "do not watch the files; SIGHUP still reloads")
	flags.DurationVar(&f.poll, "poll", 0, "look for changes at this interval instead of waiting for notifications (for network file systems)")
	flags.DurationVar(&f.removeAfter, "remove-after", time.Second,
		"how long a file must be unchanged before services that disappeared from it are removed; 0 for at once")
	flags.BoolVar(&f.lenient, "lenient", false, "start with the services that are good instead of failing on any error")
	flags.BoolVar(&f.strictReload, "strict-reload", false, "make a reload all or nothing instead of service by service")
	flags.BoolVar(&f.dropComments, "drop-comments", false, "leave comments out of reflection and OpenAPI documents")

	flags.DurationVar(&f.drain, "drain", 15*time.Second, "how long calls in progress may continue after a signal to stop; 0 to cut them at once")
	flags.DurationVar(&f.drainDelay, "drain-delay", 0, "how long new calls are accepted after a signal to stop, while health is NOT_SERVING")
	flags.DurationVar(&f.deadline, "default-deadline", 0, "deadline of calls without one, streams included (default none)")
	flags.BoolVar(&f.channelz, "channelz", false, "serve grpc.channelz.v1, which shows connections and peers")
	flags.BoolVar(&f.noPages, "no-pages", false, "serve neither the list of services at / nor /openapi.json and /openapi.yaml")

	flags.Float64Var(&f.accessLog, "access-log", 0, "log this share of the successful calls, from 0 to 1, and all failed calls (default: log no calls)")
	addChoice(cmd, &f.logFormat, "log-format", "", "format of the log; json prints nothing but JSON on both streams", "text", "json")
	addChoice(cmd, &f.logLevel, "log-level", "", "least severe messages to log", "info", "debug", "warn", "error")

	f.registerLimits(flags)
}

func (f *serveFlags) registerLimits(flags *pflag.FlagSet) {
	l := &f.limits
	flags.IntVar(&l.MaxRecvBytes, "max-recv-bytes", 4<<20, "largest request message, after decompression")
	flags.IntVar(&l.MaxSendBytes, "max-send-bytes", 1<<31-1, "largest response message")
	flags.Uint32Var(&l.MaxHeaderBytes, "max-header-bytes", 64<<10, "largest metadata of a call")
	flags.Int64Var(&l.MaxHeldBytes, "max-held-bytes", 128<<20, "memory that all callers together may hold: calls in progress, their metadata, responses that they have not read")
	flags.IntVar(&l.MaxResets, "max-resets", 200, "calls per second that a connection may reset, in addition to one for each answered call")
	flags.IntVar(&l.MaxInflation, "max-inflation", 16<<20, "bytes per minute that a connection's compressed requests may grow by, beyond 50 times their size")
	flags.Uint32Var(&l.MaxConcurrentStreams, "max-concurrent-streams", 1000, "calls in progress on one connection")
	flags.DurationVar(&l.ConnectionTimeout, "connection-timeout", 20*time.Second, "longest handshake of a new connection")
	flags.DurationVar(&l.MinPingInterval, "min-ping-interval", 10*time.Second, "how often clients may send keepalive pings")
	flags.DurationVar(&l.PingAfterIdle, "ping-after-idle", 2*time.Minute, "idle time after which a connection is pinged")
	flags.DurationVar(&l.PingTimeout, "ping-timeout", 20*time.Second, "longest time to answer a ping")
	flags.DurationVar(&l.MaxConnectionAge, "max-connection-age", 0, "ask clients to reconnect after this time (default never)")
	flags.DurationVar(&l.MaxConnectionAgeGrace, "max-connection-age-grace", 0, "how long calls in progress may then continue (default no limit)")
	flags.IntVar(&f.maxConnections, "max-http-connections", 10_000, "open HTTP connections; a further one takes the place of one without a request")
	flags.IntVar(&f.maxRequests, "max-http-requests", 10_000, "HTTP requests in progress, streams included")
	flags.DurationVar(&f.headerTimeout, "http-header-timeout", 10*time.Second, "longest time to send the header of an HTTP request")
	flags.DurationVar(&f.bodyTimeout, "http-body-timeout", 30*time.Second, "longest pause in the body of an HTTP request, unless its method streams requests")
	flags.DurationVar(&f.stallTimeout, "http-stall-timeout", 2*time.Minute, "how long an HTTP client may read nothing of a waiting answer")
	flags.DurationVar(&f.idleTimeout, "http-idle-timeout", 11*time.Minute, "how long an HTTP connection without a request stays open")
	registerSchemaLimits(flags, &f.schemas)
	flags.IntVar(&l.StreamWorkers, "stream-workers", 64, "goroutines that stand ready to serve calls; negative for none")
}

// base is the configuration but for sources and handlers.
func (f *serveFlags) base(log *slog.Logger) dynserver.Config {
	config := dynserver.Config{
		GRPC:            f.limits,
		HTTP:            f.httpOptions(),
		HTTPRules:       f.httpRules,
		RequireHandlers: f.requireHandlers,
		SchemaLimits:    f.schemas,
		Lenient:         f.lenient,
		StrictReload:    f.strictReload,
		Watch:           !f.noWatch,
		WatchPoll:       f.poll,
		RemoveAfter:     f.removeAfter,
		DrainTimeout:    f.drain,
		DrainDelay:      f.drainDelay,
		DropComments:    f.dropComments,
		Channelz:        f.channelz,
		Log:             log,
	}
	// A zero in a Config means the default.
	if f.drain == 0 {
		config.DrainTimeout = -1
	}
	if f.removeAfter == 0 {
		config.RemoveAfter = -1
	}
	if f.accessLog > 0 {
		config.Middleware = append(config.Middleware, handlers.AccessLog(log, f.accessLog))
	}
	if f.deadline > 0 {
		config.Middleware = append(config.Middleware, handlers.DefaultDeadline(f.deadline))
	}
	return config
}

// httpOptions are the settings of the HTTP port. It shares limits with gRPC's.
func (f *serveFlags) httpOptions() dynserver.HTTPOptions {
	return dynserver.HTTPOptions{
		CORS:                 dynserver.CORSOptions{Origins: f.origins},
		NoPages:              f.noPages,
		MaxHeaderBytes:       int(f.limits.MaxHeaderBytes),
		MaxConnections:       f.maxConnections,
		MaxRequests:          f.maxRequests,
		MaxConcurrentStreams: int(f.limits.MaxConcurrentStreams),
		HeaderTimeout:        f.headerTimeout,
		BodyTimeout:          f.bodyTimeout,
		StallTimeout:         f.stallTimeout,
		IdleTimeout:          f.idleTimeout,
		PingAfterIdle:        f.limits.PingAfterIdle,
		PingTimeout:          f.limits.PingTimeout,
	}
}

// validate reports everything that is wrong with the flags.
func (f *serveFlags) validate(embedded bool) error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	for _, addr := range given(f.grpc) {
		check(addr != "", "--grpc: an empty address, which is for none, stands alone; :50051 is for all interfaces")
	}
	for _, addr := range given(f.http) {
		check(addr != "", "--http: an empty address, which is for none, stands alone; :8080 is for all interfaces")
	}
	check(len(given(f.grpc))+len(given(f.http)) > 0, "--grpc and --http are both empty, so there is no address to serve on")
	if err := f.checkTLS(); err != nil {
		errs = append(errs, err)
	}
	examples := embedded || f.examples
	check(examples || f.features == "", "--features is for the examples: add --examples")
	check(f.taskInterval > 0, "--task-interval: %s is not positive", f.taskInterval)
	check(f.accessLog >= 0 && f.accessLog <= 1, "--access-log: %v is not from 0 to 1", f.accessLog)
	l := f.limits
	for name, d := range map[string]time.Duration{
		"poll": f.poll, "remove-after": f.removeAfter, "drain": f.drain, "drain-delay": f.drainDelay, "default-deadline": f.deadline, "connection-timeout": l.ConnectionTimeout,
		"min-ping-interval": l.MinPingInterval, "ping-after-idle": l.PingAfterIdle, "ping-timeout": l.PingTimeout,
		"http-header-timeout": f.headerTimeout, "http-body-timeout": f.bodyTimeout, "http-stall-timeout": f.stallTimeout, "http-idle-timeout": f.idleTimeout,
		"max-connection-age": l.MaxConnectionAge, "max-connection-age-grace": l.MaxConnectionAgeGrace,
	} {
		check(d >= 0, "--%s: %s is negative", name, d)
	}
	check(l.MaxRecvBytes > 0 && l.MaxSendBytes > 0, "--max-recv-bytes and --max-send-bytes must be positive")
	check(l.MaxHeaderBytes > 0 && l.MaxConcurrentStreams > 0, "--max-header-bytes and --max-concurrent-streams must be positive")
	check(f.maxConnections > 0 && f.maxRequests > 0, "--max-http-connections and --max-http-requests must be positive")
	if err := checkSchemaLimits(f.schemas); err != nil {
		errs = append(errs, err)
	}
	check(l.MaxHeldBytes > 0 && l.MaxResets > 0 && l.MaxInflation > 0, "--max-held-bytes, --max-resets and --max-inflation must be positive")
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}
