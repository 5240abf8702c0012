package dynclient

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // for grpc.UseCompressor, and answers that are compressed
	_ "google.golang.org/grpc/health"        // for healthCheckConfig in a service config
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/internal/reflection"
)

// DefaultSchemaTimeout bounds each look at the schema that is not bound by a
// shorter deadline, unless [WithSchemaTimeout] says otherwise.
const DefaultSchemaTimeout = 10 * time.Second

// Client calls the services at one target. It is safe for concurrent use.
type Client struct {
	conn    grpc.ClientConnInterface
	close   func() error // of the connection: nothing if it is the caller's own
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
	timeout time.Duration
	reflect reflection.Options
}

// WithSources says where schemas come from. Where several sources know a name,
// the first of them counts. Default: the server's reflection.
func WithSources(sources ...Source) Option {
	return func(s *settings) { s.sources = append(s.sources, sources...) }
}

// WithGRPC passes options on to grpc.NewClient: credentials, resolvers,
// interceptors, limits, keepalive. Default: a plaintext connection.
func WithGRPC(opts ...grpc.DialOption) Option {
	return func(s *settings) { s.dial = append(s.dial, opts...) }
}

// WithServiceConfig sets the service config that holds unless the resolver has
// one: retries, load balancing and its health checks, timeouts.
func WithServiceConfig(json string) Option {
	return WithGRPC(grpc.WithDefaultServiceConfig(json))
}

// WithSchemaMetadata sends metadata with every question to the server's
// reflection, besides that in the context it is asked with: credentials, say.
// Calls do not get it.
func WithSchemaMetadata(md metadata.MD) Option {
	return func(s *settings) { s.reflect.Metadata = metadata.Join(s.reflect.Metadata, md) }
}

// WithSchemaProgress calls report with the number of files that were read from the
// server's reflection, each time that there are more, and with 0 when an operation
// has ended.
func WithSchemaProgress(report func(files int)) Option {
	return func(s *settings) { s.reflect.Progress = report }
}

// WithSchemaTimeout bounds each look at the schema, such as making a stub.
// Default: [DefaultSchemaTimeout].
func WithSchemaTimeout(d time.Duration) Option {
	return func(s *settings) { s.timeout = d }
}

// Dial returns a client of a target in the syntax of grpc.NewClient: host:port,
// dns:///host:port, unix:path and so on. It reads the schema's files, if there
// are any, and fails if ctx ends before or if one cannot be read at all; errors
// in them come when they matter. The connection is made when it is first needed.
func Dial(ctx context.Context, target string, opts ...Option) (*Client, error) {
	var s settings
	for _, o := range opts {
		o(&s)
	}
	plaintext := grpc.WithTransportCredentials(insecure.NewCredentials())
	conn, err := grpc.NewClient(target, append([]grpc.DialOption{plaintext}, s.dial...)...)
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

// New returns a client of a connection that exists already, and that Close will
// leave open. [WithGRPC] and [WithServiceConfig] have no effect.
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
	c.schema = newSchema(s.sources, newReflector(conn, target, s.reflect))
	return c
}

// Schema returns what is known of the server's services. Its questions to the
// server are bound by the context of each call alone.
func (c *Client) Schema() *Schema { return c.schema }

// Target returns the target as it was dialled.
func (c *Client) Target() string { return c.target }

// Close closes the connection, if Dial made it, which ends the calls in progress.
// No stubs can be made after it.
func (c *Client) Close() error {
	c.cancel()
	return c.close()
}

// lookup returns the method with a path, within the client's time for that.
func (c *Client) lookup(ctx context.Context, path string) (*Method, error) {
	if c.ctx.Err() != nil {
		return nil, status.Error(codes.Canceled, "the client is closed")
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return c.schema.Method(ctx, path)
}
