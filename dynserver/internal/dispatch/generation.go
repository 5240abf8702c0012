package dispatch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/nearest"
	"github.com/dyngate/dyngate/internal/schema"
)

// Generation is a schema with its handlers, bound: all that calls are served
// from. It is immutable and safe for concurrent use; a reload makes a new one,
// which shares what did not change.
type Generation struct {
	// Number counts generations from 1.
	Number int

	// Snapshot is the schema as it was read. Stale services are older than it.
	Snapshot *schema.Snapshot

	// Services are the services that can be called, by full name.
	Services []*Service

	// Leaving is zero, or the first time at which a file changed that a service
	// has disappeared from, which is kept for as long as the file may be half
	// written.
	Leaving time.Time

	// Unmatched are the registrations that answer no method of the snapshot.
	Unmatched []*handlers.Registration

	services map[protoreflect.FullName]*Service
	routes   map[string]*Served // by the path of a call: /pkg.Service/Method
	builtin  map[string][]string
	known    func() *nearest.Index // the names of all services, made when first asked for

	middleware []handlers.Middleware
	leases     leases // of the registrations that its routes use
	held       []*Lease
	pins       atomic.Int64 // calls, and one for being served or built
	ended      func(*Generation)
}

// Served is a route as one generation serves it: with its middleware.
type Served struct {
	*Route
	handler handlers.Handler
}

// Service is a service that can be called. It is immutable.
type Service struct {
	Desc   protoreflect.ServiceDescriptor
	File   *schema.File
	Routes []*Route

	// Stale says why the service is not served from what its file says now but
	// from its last good version. It is empty for a service that is up to date.
	Stale []*diag.Diagnostic

	// Leaving says that no file declares the service now. It is stale for as
	// long as that may be because a file is half written.
	Leaving bool

	homes []string // the import paths of the files that declare the service now, as far as is known
}

// Answered reports whether any method of the service has a handler.
func (s *Service) Answered() bool {
	return slices.ContainsFunc(s.Routes, func(r *Route) bool { return len(r.Registrations) > 0 })
}

// MethodNames returns the names of the service's methods, as they are declared.
func (s *Service) MethodNames() []string {
	names := make([]string, len(s.Routes))
	for i, r := range s.Routes {
		names[i] = string(r.Method.Name())
	}
	return names
}

// AnyStale reports whether a service is served from its last good version.
func (g *Generation) AnyStale() bool {
	return slices.ContainsFunc(g.Services, func(s *Service) bool { return len(s.Stale) > 0 })
}

// SharesMiddleware reports whether the middleware is the same as that of another
// generation.
func (g *Generation) SharesMiddleware(other *Generation) bool {
	a, b := g.middleware, other.middleware
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// Service returns the service of that name, or nil.
func (g *Generation) Service(name protoreflect.FullName) *Service { return g.services[name] }

// Route returns the route of a call's path, "/pkg.Service/Method", or nil.
func (g *Generation) Route(path string) *Served { return g.routes[path] }

// newGeneration returns a generation, which is pinned once.
func (b *Builder) newGeneration(prev *Generation, in Input, services map[protoreflect.FullName]*Service) *Generation {
	g := &Generation{
		Number: prev.Number + 1, Snapshot: in.Snapshot, services: services, builtin: b.Builtin,
		Services:   make([]*Service, 0, len(services)),
		routes:     make(map[string]*Served, 4*len(services)),
		middleware: in.Middleware,
	}
	g.pins.Store(1)
	for _, s := range services {
		g.Services = append(g.Services, s)
		served := make([]Served, len(s.Routes))
		for i, r := range s.Routes {
			served[i] = Served{Route: r, handler: b.wrap(r.bound, in.Middleware)}
			g.routes["/"+r.Method.Path()] = &served[i]
		}
	}
	g.leases, g.held = leasesOf(in.Leases).hold(g.Services, prev.leases)
	slices.SortFunc(g.Services, func(a, b *Service) int {
		return strings.Compare(string(a.Desc.FullName()), string(b.Desc.FullName()))
	})
	g.known = sync.OnceValue(g.names)
	return g
}

func (g *Generation) names() *nearest.Index {
	names := slices.Sorted(maps.Keys(g.builtin))
	for _, s := range g.Services {
		names = append(names, string(s.Desc.FullName()))
	}
	return nearest.NewIndex(names)
}

// Unknown is the error for a path without a route: UNIMPLEMENTED, with the known
// names that are nearest.
func (g *Generation) Unknown(path string) error {
	service, method, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	methods, known := g.builtin[service]
	if s := g.services[protoreflect.FullName(service)]; s != nil {
		methods, known = s.MethodNames(), true
	}
	if known {
		return unknownError("unknown method %q of service %s", clip(method), service,
			nearest.Names(method, methods, 3))
	}
	return unknownError("unknown service %q%s", clip(service), "", g.NearServices(service, 3))
}

// NearServices returns up to limit services whose names are near to name.
func (g *Generation) NearServices(name string, limit int) []string {
	return g.known().Names(name, limit)
}

func unknownError(format, what, where string, near []string) error {
	return status.Error(codes.Unimplemented, fmt.Sprintf(format, what, where)+nearest.Hint(near))
}

// clip keeps a hostile name from coming back at full length.
func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}
