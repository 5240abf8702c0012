package load

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/nearest"
	"github.com/dyngate/dyngate/internal/schema"
)

// unmatched reports registrations that match no method, because they may be misspelt.
// The severity is Warning if a method has a similar name, otherwise Hint: the method
// may be added later. handlers.Matching may say otherwise.
func unmatched(g *dispatch.Generation) (diags []*diag.Diagnostic) {
	for _, reg := range g.Unmatched {
		if reg.Matching == handlers.MatchOptional {
			continue
		}
		severity, why, suggestion := diag.Hint, "", ""
		if near := meant(g, reg.Pattern); near != "" {
			severity, suggestion = diag.Warning, nearest.DidYouMean([]string{near})
		}
		if reg.Matching == handlers.MatchRequired {
			if declared(g, reg.Pattern) {
				continue // by a broken file, which has errors of its own, or without methods
			}
			severity, why = diag.Error, ": no schema declares it, and the program has no descriptor of it"
		}
		diags = append(diags, diag.New(severity, reg.Position, "no method matches %q%s%s", reg.Pattern, why, suggestion))
	}
	return diags
}

// declared reports whether the service of a pattern exists, broken or not.
func declared(g *dispatch.Generation, pattern string) bool {
	service, _, _ := strings.Cut(pattern, "/")
	name := protoreflect.FullName(service)
	return g.Service(name) != nil || slices.ContainsFunc(g.Snapshot.Broken(), func(b *schema.BrokenService) bool { return b.Name == name })
}

// meant returns the similar name that a pattern pkg.Service/Method or pkg.Service may
// have meant, or "". It returns only methods and services without a handler.
func meant(g *dispatch.Generation, pattern string) string {
	service, method, exact := strings.Cut(pattern, "/")
	svc := g.Service(protoreflect.FullName(service))
	if svc == nil {
		if svc = nearService(g, service); svc == nil {
			return ""
		}
		service = string(svc.Desc.FullName())
	}
	if !exact && !svc.Answered() {
		return service
	}
	for _, r := range svc.Routes {
		if len(r.Registrations) == 0 && exact && len(nearest.Names(method, []string{string(r.Method.Name())}, 1)) > 0 {
			return r.Path()
		}
	}
	return ""
}

func nearService(g *dispatch.Generation, name string) *dispatch.Service {
	if near := g.NearServices(name, 1); len(near) > 0 {
		return g.Service(protoreflect.FullName(near[0]))
	}
	return nil
}
