package dynserver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	channelz "google.golang.org/grpc/channelz/service"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/dyngate/dyngate/dynserver/internal/discovery"
	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/dynserver/internal/grpcfront"
	"github.com/dyngate/dyngate/dynserver/internal/httpport"
	"github.com/dyngate/dyngate/dynserver/internal/load"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/schema"
	"github.com/dyngate/dyngate/internal/watch"
)

// Server serves the services of its sources. Its methods are safe for
// concurrent use.
type Server struct {
	config  Config
	current dispatch.Current
	grpc    *grpcfront.Server
	http    *httpport.Server
	health  *discovery.Health

	rootsChanged watch.Bell // by a Reload

	loading     chan struct{} // holds a value during a load; guards what follows
	loader      *load.Loader
	middleware  []handlers.Middleware
	diagnostics []*diag.Diagnostic // of the last load

	closing context.Context // ends when Shutdown is called
	close   context.CancelFunc
	cut     context.Context // ends when a Shutdown no longer waits for the calls in progress
	cutOff  context.CancelFunc
}

// New reads the sources and binds the handlers. If they have errors and
// Config.Lenient is not set, New returns a [*LoadError] that holds all of them.
// Nothing listens until Serve. A Server that is never served must be shut down.
func New(ctx context.Context, config Config) (*Server, error) {
	if err := grpcfront.Options(config.GRPC).Check(); err != nil {
		return nil, fmt.Errorf("dynserver: %w", err)
	}
	config = config.withDefaults()
	s := &Server{config: config, loading: make(chan struct{}, 1), middleware: config.Middleware, rootsChanged: watch.NewBell()}
	s.closing, s.close = context.WithCancel(context.Background())
	s.cut, s.cutOff = context.WithCancel(context.Background())
	var err error
	if s.http, err = s.newHTTP(); err != nil {
		return nil, fmt.Errorf("dynserver: %w", err)
	}
	var own []*handlers.Registration
	own, s.health = config.ownServices(s.current.Load, s.closing.Done())
	s.loader = config.loader(own)
	if err := s.load(ctx); err != nil {
		s.close()
		s.release()
		return nil, err
	}
	s.grpc = grpcfront.New(grpcfront.Options(config.GRPC), &s.current, config.Log)
	return s, nil
}

// ownServices returns the services that a server itself answers.
func (c Config) ownServices(
	current func() *dispatch.Generation, draining <-chan struct{},
) ([]*handlers.Registration, *discovery.Health) {
	reg, health := handlers.NewRegistry(), discovery.NewHealth(current)
	healthpb.RegisterHealthServer(reg, health)
	discovery.RegisterReflection(reg, current, draining)
	if c.Channelz {
		channelz.RegisterChannelzServiceToServer(reg)
	}
	return reg.All(), health
}

// loader returns a loader for the config.
func (c Config) loader(own []*handlers.Registration) *load.Loader {
	return load.New(load.Options{
		Schema: schema.Options{
			Sources: c.Sources, DropComments: c.DropComments, Limits: c.SchemaLimits, Progress: c.OnProgress,
		},
		Providers:       append([]handlers.Provider{c.Handlers}, c.Providers...),
		Own:             own,
		RequireHandlers: c.RequireHandlers,
		HTTPRules:       c.HTTPRules,
		Log:             c.Log,
	})
}

// load makes the first generation.
func (s *Server) load(ctx context.Context) error {
	start := time.Now()
	none := &dispatch.Generation{}
	first, diags, err := s.loader.Load(ctx, none, s.middleware, 0)
	if err != nil {
		return err
	}
	if diag.HasErrors(diags) && !s.config.Lenient {
		first.Unpin()
		return &LoadError{Diagnostics: diags}
	}
	s.config.OnReload(s.adopt(none, first, diags, start))
	return nil
}

// Serve accepts calls on all listeners until ctx ends or [Server.Shutdown] is called.
// When ctx ends it drains: see Config.DrainDelay and Config.DrainTimeout. Serve closes
// the listeners. It returns nil once all calls have ended, [ErrCut] if calls were cut,
// or the error of the first listener that failed. A Server serves once.
func (s *Server) Serve(ctx context.Context, listeners ...Listener) error {
	if len(listeners) == 0 {
		return errors.New("dynserver: no listener to serve on")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(s.closing, stop)()
	group, ctx := errgroup.WithContext(ctx)
	for _, lis := range listeners {
		group.Go(func() error { return s.accept(lis) }) // ends when the front stops
	}
	if s.config.Watch {
		group.Go(func() error { // ends with ctx
			s.follow(ctx)
			return nil
		})
	}
	group.Go(func() error { return s.stopAfter(ctx) })
	return group.Wait()
}

// stopAfter shuts the server down when ctx ends, unless Shutdown has been called.
func (s *Server) stopAfter(ctx context.Context) error {
	<-ctx.Done()
	if s.config.DrainDelay > 0 {
		s.health.Drain()
		delay := time.NewTimer(s.config.DrainDelay)
		defer delay.Stop()
		select {
		case <-delay.C:
		case <-s.closing.Done():
		}
	}
	if s.closing.Err() != nil {
		return nil
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.DrainTimeout)
	defer cancel()
	return s.Shutdown(drain)
}

// ErrCut is returned by [Server.Shutdown] and [Server.Serve] if calls in progress did
// not end in time and were cut.
var ErrCut = errors.New("calls in progress were cut")

// Shutdown makes health NOT_SERVING, stops accepting connections and calls, and waits
// for the calls in progress. If ctx ends first the calls are cut: their contexts end,
// their callers get UNAVAILABLE, and the error wraps [ErrCut] and ctx's. Shutdown does
// not wait for a handler that ignores its context. It may be called more than once: a
// second call with an ended context cuts at once.
func (s *Server) Shutdown(ctx context.Context) error {
	s.close()
	s.health.Drain()
	drained := make(chan struct{})
	go func() { // ends when the last handler has
		defer close(drained)
		s.drain()
		s.release()
	}()
	select {
	case <-drained:
		return nil
	case <-s.cut.Done(): // by another Shutdown
	case <-ctx.Done():
		s.cutOff()
	}
	active := s.current.Calls()
	s.stop()
	if active == 0 {
		return nil
	}
	return errors.Join(fmt.Errorf("%w: %d", ErrCut, active), context.Cause(ctx))
}

// release releases the current generation and what the providers have loaded.
func (s *Server) release() {
	s.lockAlways()
	defer s.unlock()
	s.current.Close()
	s.loader.Release()
}
