package dispatch

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/httprule"
	"github.com/dyngate/dyngate/internal/schema"
)

// Builder makes generations. Its fields must not change while it is used.
type Builder struct {
	Log *slog.Logger

	// RequireHandlers makes a method without a handler an error.
	RequireHandlers bool

	// Own are the registrations of the services that the server itself answers,
	// health for one. Each has Declares set. A schema that declares one of them is
	// warned about and its declaration ignored.
	Own []*handlers.Registration
}

// Input is what a generation is made of.
type Input struct {
	Snapshot   *schema.Snapshot
	Leases     []*Lease              // of what all providers have loaded
	Middleware []handlers.Middleware // the first is the outermost
	HTTP       *httprule.Config      // what files say about HTTP paths; nil for nothing

	// A file that changed after Since may be half written: a service that has
	// disappeared from it keeps its last version, marked stale. See
	// Generation.Leaving.
	Since time.Time
}

// Build binds the services of a snapshot to their handlers. A service keeps the
// version that prev has, marked stale, if its import closure has errors, if its name
// is declared twice, or if a handler no longer fits. The rest of the result is new,
// or shared with prev where nothing changed. prev is nil or empty at the start;
// otherwise the caller has pinned it. The result is pinned once, and holds leases of
// its own.
//
// The diagnostics are those of the snapshot and those of binding, errors first.
func (b *Builder) Build(prev *Generation, in Input) (*Generation, []*diag.Diagnostic) {
	if prev == nil {
		prev = &Generation{}
	}
	own, diags := b.own(prev)
	registrations, wrong := newTable(registrationsOf(in.Leases))
	diags = slices.Concat(diags, wrong, registrations.dropOwn(own), in.Snapshot.Diagnostics())
	services := make(map[protoreflect.FullName]*Service)
	for _, s := range slices.Concat(in.Snapshot.Services(), registrations.declared(in.Snapshot, prev)) {
		name := s.Desc.FullName()
		if own[name] != nil {
			diags = append(diags, s.File.Diagnose(diag.Warning, s.Desc,
				"service %s is answered by the server itself; this declaration is ignored", name))
			continue
		}
		bound, problems := b.bind(s, registrations, in.HTTP, prev.services[name])
		diags = append(diags, problems...)
		if len(problems) > 0 {
			bound = stale(prev.services[name], []string{s.File.Path()}, problems)
		}
		if bound != nil {
			services[name] = bound
		}
	}
	k := keeper{prev: prev, snap: in.Snapshot, since: in.Since}
	k.keep(services)
	var problem *diag.Diagnostic
	if in.Middleware, problem = b.usable(in.Middleware, prev); problem != nil {
		diags = slices.Insert(diags, 0, problem)
	}
	now := b.newGeneration(prev, in, services, own)
	diags = append(append(diags, now.http.hidden...), now.http.ties...)
	slices.SortStableFunc(diags, func(a, b *diag.Diagnostic) int { return int(a.Severity) - int(b.Severity) })
	now.Leaving, now.Unmatched = k.leaving, registrations.unmatched()
	return now, slices.CompactFunc(diags, func(a, b *diag.Diagnostic) bool { return a == b })
}

// own binds the services that the server itself answers, once.
func (b *Builder) own(prev *Generation) (map[protoreflect.FullName]*Service, []*diag.Diagnostic) {
	if prev.own != nil {
		return prev.own, nil
	}
	services := make(map[protoreflect.FullName]*Service)
	registrations, diags := newTable(b.Own)
	for _, reg := range b.Own {
		s := &schema.Service{Desc: reg.Declares, File: schema.BuiltIn(reg.Declares.ParentFile())}
		bound, problems := b.bind(s, registrations, nil, nil)
		diags = append(diags, problems...)
		services[reg.Declares.FullName()] = bound
	}
	return services, diags
}

// bind binds every method of a service, or reports everything that prevents it.
// Routes that have not changed are taken from prev.
func (b *Builder) bind(
	s *schema.Service, registrations *table, config *httprule.Config, prev *Service,
) (*Service, []*diag.Diagnostic) {
	bound := &Service{Desc: s.Desc, File: s.File, declaredIn: []string{s.File.Path()}}
	var problems []*diag.Diagnostic
	known := prev != nil && prev.Desc == s.Desc // then it has the same methods and types
	same := known && prev.File == s.File && len(prev.Stale) == 0
	for i := range s.Desc.Methods().Len() {
		var m *handlers.Method
		if known {
			m = prev.Routes[i].Method
		} else {
			m = &handlers.Method{MethodDescriptor: s.Desc.Methods().Get(i), Types: s.File.Types()}
		}
		regs, tie := registrations.lookup(m)
		if tie != nil {
			problems = append(problems, tie)
			continue
		}
		if len(regs) == 0 && b.RequireHandlers {
			problems = append(problems, s.File.Diagnose(diag.Error, m, "no handler answers method %s", m.Path()))
			continue
		}
		if known && slices.Equal(prev.Routes[i].Registrations, regs) {
			bound.Routes = append(bound.Routes, prev.Routes[i])
			continue
		}
		same = false
		route, wrong := b.route(s.File, m, regs)
		problems = append(problems, wrong...)
		bound.Routes = append(bound.Routes, route)
	}
	problems = append(problems, bound.bindHTTP(config, prev)...)
	if same && len(problems) == 0 && slices.Equal(bound.HTTP, prev.HTTP) {
		return prev, nil
	}
	return bound, problems
}

// route binds one method. A call passes, in this order: Guard, the middleware, a
// second Guard so that middleware sees statuses, the rules of cardinality, the
// handlers.
func (b *Builder) route(f *schema.File, m *handlers.Method, regs []*handlers.Registration) (*Route, []*diag.Diagnostic) {
	r := &Route{Method: m, Registrations: regs, path: "/" + m.Path(), bound: handlers.HandlerFunc(unanswered)}
	list := make([]handlers.Handler, len(regs))
	var problems []*diag.Diagnostic
	for i, reg := range regs {
		var err error
		if list[i], err = bindOne(reg, m); err != nil {
			problems = append(problems, misfit(f, m, reg, err))
		}
	}
	if len(list) > 0 {
		r.bound = handlers.Guard(b.Log)(cardinality(m, b.Log)(firstWilling(list)))
	}
	return r, problems
}

func bindOne(reg *handlers.Registration, m *handlers.Method) (h handlers.Handler, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("binding panicked: %v", p)
		}
	}()
	h, err = reg.Implementation.Bind(m)
	if err == nil && h == nil {
		err = errors.New("the Bind method returned neither a handler nor an error")
	}
	return h, err
}

// misfit reports a handler that does not fit its method, at the method.
func misfit(f *schema.File, m *handlers.Method, reg *handlers.Registration, err error) *diag.Diagnostic {
	return f.Diagnose(diag.Error, m, "method %s does not fit its handler, registered as %q at %s\n%v",
		m.Path(), reg.Pattern, reg.Position, err)
}
