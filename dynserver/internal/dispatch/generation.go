package dispatch

import (
	"cmp"
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
	"github.com/dyngate/dyngate/internal/httprule"
	"github.com/dyngate/dyngate/internal/nearest"
	"github.com/dyngate/dyngate/internal/schema"
)

// Generation is a schema whose methods are bound to handlers: everything that
// serving a call needs. It is immutable and safe for concurrent use. A reload makes
// a new one, which shares what did not change.
type Generation struct {
	// Number counts generations from 1.
	Number int

	// Snapshot is the schema as it was read. Stale services are older than it.
	Snapshot *schema.Snapshot

	// Services are the services that can be called, sorted by full name, without
	// those that the server itself answers.
	Services []*Service

	// Leaving is set if services are kept that have disappeared from files which may
	// be half written: it is the time at which the first of these files changed.
	Leaving time.Time

	// Unmatched are the registrations that match no method of the snapshot.
	Unmatched []*handlers.Registration

	services map[protoreflect.FullName]*Service
	routes   map[string]*Served                 // by the path of a call: /pkg.Service/Method
	own      map[protoreflect.FullName]*Service // that the server itself answers
	derived  sync.Map                           // by *Derived
	http     httpPaths

	middleware []handlers.Middleware
	leases     leases // of the registrations that its routes use
	held       []*Lease
	pins       atomic.Int64 // one for each call, and one while it is current or being built
	ended      func(*Generation)
}

// Served is a route as one generation serves it: with its middleware.
type Served struct {
	*Route
	handler handlers.Handler
	own     bool // of a service that the server itself answers
}

// Service is a service that can be called. It is immutable.
type Service struct {
	Desc   protoreflect.ServiceDescriptor
	File   *schema.File
	Routes []*Route

	// HTTP are the bindings of the methods to HTTP paths, without the default ones.
	HTTP []*httprule.Binding

	// Stale says why the last good version of the service is served instead of the
	// current one. It is empty for a service that is up to date.
	Stale []*diag.Diagnostic

	// Leaving reports that no file declares the service now. The service is kept
	// for as long as its file may be half written.
	Leaving bool

	configured []configured // by method; nil if no file says anything about them
	declaredIn []string     // the import paths of the files that declare, or may declare, the service now
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

// SharesLeases reports whether the routes use the same loads of the providers as
// those of another generation.
func (g *Generation) SharesLeases(other *Generation) bool { return slices.Equal(g.held, other.held) }

// Service returns the service of that name, or nil.
func (g *Generation) Service(name protoreflect.FullName) *Service { return g.services[name] }

// Own returns the services that the server itself answers, by full name.
func (g *Generation) Own() []*Service {
	return slices.SortedFunc(maps.Values(g.own), byName)
}

func byName(a, b *Service) int {
	return strings.Compare(string(a.Desc.FullName()), string(b.Desc.FullName()))
}

// Route returns the route of a call's path, "/pkg.Service/Method", or nil.
func (g *Generation) Route(path string) *Served { return g.routes[path] }

// newGeneration returns a generation that is pinned once.
func (b *Builder) newGeneration(prev *Generation, in Input, services, own map[protoreflect.FullName]*Service) *Generation {
	g := &Generation{
		Number: prev.Number + 1, Snapshot: in.Snapshot, services: services, own: own,
		Services:   slices.SortedFunc(maps.Values(services), byName),
		routes:     make(map[string]*Served, 4*len(services)),
		middleware: in.Middleware,
	}
	g.pins.Store(1)
	g.http = prev.nextHTTP(g)
	for _, s := range services {
		b.serve(g, s, false)
	}
	for _, s := range own {
		b.serve(g, s, true)
	}
	g.leases, g.held = leasesOf(in.Leases).hold(g.Services, prev.leases)
	return g
}

// serve adds the routes of a service, with the middleware around them.
func (b *Builder) serve(g *Generation, s *Service, own bool) {
	served := make([]Served, len(s.Routes))
	for i, r := range s.Routes {
		served[i] = Served{Route: r, handler: b.wrap(r.bound, g.middleware), own: own}
		g.routes[r.path] = &served[i]
	}
}

// names are the names of all services.
var names = NewDerived(func(g *Generation) *nearest.Index {
	var all []string
	for _, s := range slices.Concat(g.Own(), g.Services) {
		all = append(all, string(s.Desc.FullName()))
	}
	return nearest.NewIndex(all)
})

// Unknown is the error for a path without a route: UNIMPLEMENTED, with the known
// names that are nearest.
func (g *Generation) Unknown(path string) error {
	service, method, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	name := protoreflect.FullName(service)
	if s := cmp.Or(g.own[name], g.services[name]); s != nil {
		return unknownError("unknown method %q of service %s", clip(method), service,
			nearest.Names(method, s.MethodNames(), 3))
	}
	return unknownError("unknown service %q%s", clip(service), "", g.NearServices(service, 3))
}

// NearServices returns up to limit services whose names are near to name.
func (g *Generation) NearServices(name string, limit int) []string {
	return names.Of(g).Names(name, limit)
}

func unknownError(format, what, where string, near []string) error {
	return status.Error(codes.Unimplemented, fmt.Sprintf(format, what, where)+nearest.DidYouMean(near))
}

// clip shortens a name that a caller sent, before it is sent back.
func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "..."
	}
	return s
}
