package dynserver

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/httprule"
	"github.com/dyngate/dyngate/internal/logattr"
)

// LoadError holds all problems of the sources and handlers of a server that did not
// start.
type LoadError struct {
	// Diagnostics are the errors, then the warnings.
	Diagnostics []*diag.Diagnostic
}

// Error returns all diagnostics, each with its position, the source line and a caret.
func (e *LoadError) Error() string { return diag.Render(e.Diagnostics) }

// Report describes a reload.
type Report struct {
	// Generation is the number of the generation that is served after the reload.
	Generation int

	// Applied reports whether that generation is new. It is false if nothing has
	// changed, and if Config.StrictReload prevented the change: HeldBack is true then.
	Applied, HeldBack bool

	// Added, Changed and Removed are the names of services, sorted.
	Added, Changed, Removed []string

	// Stale are the services that are served from their last good version now.
	// Recovered are those that were stale and are up to date again.
	Stale, Recovered []string

	// Leaving are the services that are no longer declared in a file that still
	// exists. They are served until the file has not changed for Config.RemoveAfter.
	Leaving []string

	// Unanswered are the methods without a handler, sorted: pkg.Service/Method.
	Unanswered []string

	// Diagnostics are all current errors and warnings, errors first. New are those
	// that the last load did not have.
	Diagnostics, New []*diag.Diagnostic

	// Fixed are the errors and warnings of the last load that are gone, if nothing is
	// wrong any more in their file.
	Fixed []*diag.Diagnostic

	// Took is how long the reload took.
	Took time.Duration
}

// compare fills in the differences between two generations.
func (r *Report) compare(old, now *dispatch.Generation) {
	for _, s := range now.Services {
		for _, route := range s.Routes {
			if len(route.Registrations) == 0 {
				r.Unanswered = append(r.Unanswered, route.Path())
			}
		}
		name := s.Desc.FullName()
		before := old.Service(name)
		switch {
		case before == nil:
			r.Added = append(r.Added, string(name))
		case before.Desc != s.Desc || !slices.Equal(before.Routes, s.Routes) ||
			!slices.EqualFunc(before.HTTP, s.HTTP, (*httprule.Binding).Equal):
			r.Changed = append(r.Changed, string(name))
		}
		switch {
		case s.Leaving:
			r.Leaving = append(r.Leaving, string(name))
		case len(s.Stale) > 0:
			r.Stale = append(r.Stale, string(name))
		case before != nil && len(before.Stale) > 0:
			r.Recovered = append(r.Recovered, string(name))
		}
	}
	for _, s := range old.Services {
		if name := s.Desc.FullName(); now.Service(name) == nil {
			r.Removed = append(r.Removed, string(name))
		}
	}
}

// log logs the report.
func (r *Report) log(log *slog.Logger) {
	ctx := context.Background()
	for _, d := range r.New {
		log.Log(ctx, levels[d.Severity], oneLine(d.Message), "file", d.Path, "line", d.Line, "column", d.Column)
	}
	for _, d := range r.Fixed {
		log.InfoContext(ctx, "fixed: "+oneLine(d.Message), "file", d.Path, "line", d.Line, "column", d.Column)
	}
	level := slog.LevelInfo
	if diag.HasErrors(r.Diagnostics) {
		level = slog.LevelWarn
	}
	log.Log(ctx, level, "loaded", "generation", r.Generation, "applied", r.Applied, "added", brief(r.Added, "services"),
		"changed", brief(r.Changed, "services"), "removed", brief(r.Removed, "services"), "leaving", brief(r.Leaving, "services"), "stale", brief(r.Stale, "services"),
		"recovered", brief(r.Recovered, "services"), logattr.Milliseconds("took", r.Took))
	if r.Generation == 1 && r.Applied && len(r.Unanswered) > 0 {
		log.InfoContext(ctx, "methods without a handler", "count", len(r.Unanswered), "methods", brief(r.Unanswered, "methods"))
	}
}

// oneLine joins the lines of a message.
func oneLine(message string) string { return strings.ReplaceAll(message, "\n", "; ") }

// brief keeps a log line short when thousands of services come at once.
func brief(names []string, noun string) any {
	switch {
	case len(names) > 20:
		return fmt.Sprintf("%d %s", len(names), noun)
	case names == nil:
		return []string{} // not null in JSON
	}
	return names
}

var levels = map[diag.Severity]slog.Level{
	diag.Error: slog.LevelError, diag.Warning: slog.LevelWarn, diag.Hint: slog.LevelDebug,
}

// fixedOnes returns the errors and warnings in before that are not in diags, and whose
// file has none of them any more.
func fixedOnes(diags, before []*diag.Diagnostic) (fixed []*diag.Diagnostic) {
	wrong := make(map[string]bool)
	for _, d := range diags {
		wrong[d.Key()] = true
		if d.Severity <= diag.Warning && d.Path != "" {
			wrong[d.Path] = true
		}
	}
	for _, d := range before {
		if d.Severity <= diag.Warning && !wrong[d.Key()] && !wrong[d.Path] {
			fixed = append(fixed, d)
		}
	}
	return fixed
}

// newOnes returns the diagnostics that are not in before.
func newOnes(diags, before []*diag.Diagnostic) (fresh []*diag.Diagnostic) {
	known := make(map[string]bool, len(before))
	for _, d := range before {
		known[d.Key()] = true
	}
	for _, d := range diags {
		if !known[d.Key()] {
			fresh = append(fresh, d)
		}
	}
	return fresh
}

// ServiceInfo describes a service that is served.
type ServiceInfo struct {
	Name    string // its full name
	File    string // the file that declares it, with a path that the user can open
	Methods []MethodInfo
	Stale   []*diag.Diagnostic // why its last good version is served; empty if it is up to date
}

// MethodInfo describes a method of a service that is served.
type MethodInfo struct {
	Path             string // pkg.Service/Method
	StreamsRequests  bool
	StreamsResponses bool
	Handler          string // the pattern of its handler's registration; empty if it has no handler

	// HTTP are the method's paths: "GET /v1/{name=books/*}". Each method also has
	// "POST /pkg.Service/Method", which is not in the list.
	HTTP []string
}

// Services describes the services that can be called now, sorted by name, without the
// server's own (reflection, health).
func (s *Server) Services() []ServiceInfo { return servicesOf(s.current.Load()) }

func servicesOf(g *dispatch.Generation) []ServiceInfo {
	services := g.Services
	infos := make([]ServiceInfo, len(services))
	paths := make(map[string][]string)
	for _, b := range g.HTTP().Bindings() {
		paths[b.Path()] = append(paths[b.Path()], b.Verb+" "+b.Template.String())
	}
	for i, svc := range services {
		infos[i] = ServiceInfo{Name: string(svc.Desc.FullName()), File: svc.File.Location(), Stale: svc.Stale}
		for _, r := range svc.Routes {
			info := methodInfo(r)
			info.HTTP = paths["/"+r.Path()]
			infos[i].Methods = append(infos[i].Methods, info)
		}
	}
	return infos
}

func methodInfo(r *dispatch.Route) MethodInfo {
	info := MethodInfo{
		Path:             r.Path(),
		StreamsRequests:  r.Method.IsStreamingClient(),
		StreamsResponses: r.Method.IsStreamingServer(),
	}
	if len(r.Registrations) > 0 {
		info.Handler = r.Registrations[0].Pattern
	}
	return info
}
