package dynclient

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // for grpc.UseCompressor, and answers that are compressed
	_ "google.golang.org/grpc/health"        // for healthCheckConfig in a service config
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/internal/reflection"
)

// DefaultSchemaTimeout limits each lookup in the schema, unless
// [WithSchemaTimeout] sets another limit. Shorter deadlines take precedence.
const DefaultSchemaTimeout = 10 * time.Second

// Client calls the services at one target. It is safe for concurrent use.
type Client struct {
	conn    grpc.ClientConnInterface
	close   func() error // closes the connection if Dial made it
	target  string
	schema  *Schema
	timeout time.Duration
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
}

// Option is a setting of a [Client].
type Option func(*settings)

type settings struct {
	sources []Source
	dial    []grpc.DialOption
	http    *HTTPOptions
	timeout time.Duration
	reflect reflection.Options
	files   FileLimits
}

// WithSources sets the sources of the schema. If several sources declare a
// name, the first takes precedence. Default: the server's reflection.
func WithSources(sources ...Source) Option {
	return func(s *settings) { s.sources = append(s.sources, sources...) }
}

// WithGRPC passes options to grpc.NewClient: credentials, resolvers,
// interceptors, limits, keepalive. Default: a plaintext connection. A target that
// is a URL does not take them.
func WithGRPC(opts ...grpc.DialOption) Option {
	return func(s *settings) { s.dial = append(s.dial, opts...) }
}

// WithServiceConfig sets the default service config: retries, load balancing
// and its health checks, timeouts. A service config from the resolver takes
// precedence.
func WithServiceConfig(json string) Option {
	return WithGRPC(grpc.WithDefaultServiceConfig(json))
}

// WithSchemaMetadata sends metadata with every request to the server's
// reflection, in addition to the context's metadata, for example credentials.
// Calls do not send it.
func WithSchemaMetadata(md metadata.MD) Option {
	return func(s *settings) { s.reflect.Metadata = metadata.Join(s.reflect.Metadata, md) }
}

// WithSchemaProgress calls report with the number of files read from the
// server's reflection each time that it grows, and with 0 when an operation
// ends.
func WithSchemaProgress(report func(files int)) Option {
	return func(s *settings) { s.reflect.Progress = report }
}

// WithSchemaTimeout limits each lookup in the schema, such as that of a stub.
// Default: [DefaultSchemaTimeout].
func WithSchemaTimeout(d time.Duration) Option {
	return func(s *settings) { s.timeout = d }
}

// Dial returns a client for a target: the URL of an HTTP server (see [WithHTTP]),
// or a target in the syntax of grpc.NewClient, such as host:port,
// dns:///host:port or unix:path. It reads the schema's files, if there are any,
// and fails if one cannot be read or if ctx ends first; errors in files are
// reported when the file is used. The connection is made when it is first needed.
func Dial(ctx context.Context, target string, opts ...Option) (*Client, error) {
	var s settings
	for _, o := range opts {
		o(&s)
	}
	conn, err := s.connect(target)
	if err != nil {
		return nil, err
	}
	c := newClient(conn, target, s)
	c.close = sync.OnceValue(conn.Close)
	if err := c.schema.load(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// New returns a client that uses an existing connection. Close does not close
// the connection. [WithGRPC], [WithServiceConfig] and [WithHTTP] have no effect.
func New(conn grpc.ClientConnInterface, opts ...Option) *Client {
	var s settings
	for _, o := range opts {
		o(&s)
	}
	target := "the server"
	if named, ok := conn.(interface{ Target() string }); ok {
		target = named.Target()
	}
	return newClient(conn, target, s)
}

func newClient(conn grpc.ClientConnInterface, target string, s settings) *Client {
	if len(s.sources) == 0 {
		s.sources = []Source{Reflection()}
	}
	if s.timeout <= 0 {
		s.timeout = DefaultSchemaTimeout
	}
	c := &Client{conn: conn, target: target, timeout: s.timeout, close: func() error { return nil }}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.schema = newSchema(s.sources, s.files, newReflector(conn, target, s.reflect))
	return c
}

// Schema returns the schema of the server's services. Its methods wait for the
// server until their context ends: [WithSchemaTimeout] does not apply to them.
func (c *Client) Schema() *Schema { return c.schema }

// Target returns the target as it was dialled.
func (c *Client) Target() string { return c.target }

// Close closes the connection, if Dial made it, which ends the calls in
// progress. No stubs can be made after Close.
func (c *Client) Close() error {
	c.cancel()
	return c.close()
}

// lookup returns the method with a path, within the client's schema timeout.
func (c *Client) lookup(ctx context.Context, path string) (*Method, error) {
	if c.ctx.Err() != nil {
		return nil, status.Error(codes.Canceled, "the client is closed")
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return c.schema.Method(ctx, path)
}
