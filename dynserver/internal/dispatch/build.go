package dispatch

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/schema"
)

// Builder makes generations. Its fields do not change while it is used.
type Builder struct {
	Registry   *handlers.Registry
	Middleware []handlers.Middleware // the first is the outermost
	Log        *slog.Logger

	// Builtin are the services that the server answers itself, with their
	// methods. A schema that declares one of them is warned about and its
	// declaration ignored.
	Builtin map[string][]string
}

// Build binds a snapshot's services to their handlers. A service that cannot be
// served as its file says now, because its import closure has errors, because
// its name is declared twice or because a handler no longer fits, keeps the
// version that prev has, marked stale. The rest of the result is new, or shared
// with prev where nothing changed. prev is nil or empty at the start.
//
// The diagnostics are those of the snapshot and those of binding: what is wrong
// with this generation, errors first.
func (b *Builder) Build(prev *Generation, snap *schema.Snapshot) (*Generation, []*diag.Diagnostic) {
	return b.BuildWhileWriting(prev, snap, time.Now())
}

// BuildWhileWriting is Build, but takes files that changed after since to be
// half written: a service that has disappeared from one keeps the version that
// prev has, marked stale. See Generation.Leaving.
func (b *Builder) BuildWhileWriting(
	prev *Generation, snap *schema.Snapshot, since time.Time,
) (*Generation, []*diag.Diagnostic) {
	if prev == nil {
		prev = &Generation{}
	}
	diags := append(b.misregistered(), snap.Diagnostics()...)
	services := make(map[protoreflect.FullName]*Service)
	for _, s := range snap.Services() {
		name := s.Desc.FullName()
		if _, reserved := b.Builtin[string(name)]; reserved {
			diags = append(diags, s.File.Diagnose(diag.Warning, s.Desc,
				"service %s is answered by the server itself; this declaration is ignored", name))
			continue
		}
		bound, problems := b.bind(s, prev.services[name])
		diags = append(diags, problems...)
		if len(problems) > 0 {
			bound = stale(prev.services[name], []string{s.File.Path()}, problems)
		}
		if bound != nil {
			services[name] = bound
		}
	}
	k := keeper{prev: prev, snap: snap, since: since}
	k.keep(services)
	slices.SortStableFunc(diags, func(a, b *diag.Diagnostic) int { return int(a.Severity) - int(b.Severity) })
	now := newGeneration(prev.Number+1, snap, services, b.Builtin)
	now.Leaving = k.leaving
	return now, diags
}

// misregistered reports the registrations that are wrong by themselves.
func (b *Builder) misregistered() (diags []*diag.Diagnostic) {
	for _, err := range b.Registry.Errs() {
		diags = append(diags, diag.New(diag.Error, diag.Position{}, "%v", err))
	}
	return diags
}

// bind binds every method of a service, or says all that keeps it from being
// bound. What prev has bound alike is taken from there.
func (b *Builder) bind(s *schema.Service, prev *Service) (*Service, []*diag.Diagnostic) {
	bound := &Service{Desc: s.Desc, File: s.File, homes: []string{s.File.Path()}}
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
		reg := b.Registry.Lookup(m)
		if known && prev.Routes[i].Registration == reg {
			bound.Routes = append(bound.Routes, prev.Routes[i])
			continue
		}
		same = false
		route, err := b.route(m, reg)
		if err != nil {
			problems = append(problems, unfit(s.File, m, reg, err))
			continue
		}
		bound.Routes = append(bound.Routes, route)
	}
	if same {
		return prev, nil
	}
	return bound, problems
}

// route binds one method. What a call meets, from the outside: Guard, the
// middleware, Guard again so that middleware sees statuses, the rules of
// cardinality, the handler.
func (b *Builder) route(m *handlers.Method, reg *handlers.Registration) (*Route, error) {
	h, err := b.handler(m, reg)
	if err != nil {
		return nil, err
	}
	for _, wrap := range slices.Backward(b.Middleware) {
		h = wrap(h)
	}
	if len(b.Middleware) > 0 {
		h = handlers.Guard(b.Log)(h)
	}
	return &Route{Method: m, Registration: reg, handler: h}, nil
}

func (b *Builder) handler(m *handlers.Method, reg *handlers.Registration) (_ handlers.Handler, err error) {
	if reg == nil {
		return handlers.HandlerFunc(unanswered), nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("binding panicked: %v", p)
		}
	}()
	h, err := reg.Implementation.Bind(m)
	if err == nil && h == nil {
		err = errors.New("it was bound to neither a handler nor an error")
	}
	if err != nil {
		return nil, err
	}
	return handlers.Guard(b.Log)(cardinality(m, b.Log)(h)), nil
}

// unfit reports a handler that does not fit its method, at the method.
func unfit(f *schema.File, m *handlers.Method, reg *handlers.Registration, err error) *diag.Diagnostic {
	return f.Diagnose(diag.Error, m, "method %s does not fit its handler, registered as %q at %s: %s",
		m.Path(), reg.Pattern, reg.Site, strings.ReplaceAll(err.Error(), "\n", "; "))
}
