package dynserver

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/nearest"
)

// unmatched reports registrations that no method matches, since a misspelt one would
// otherwise go unnoticed. That is a hint, as the method may come with the next
// file, and a warning when there is a method that may have been meant.
func unmatched(g *dispatch.Generation) (diags []*diag.Diagnostic) {
	for _, reg := range g.Unmatched {
		if near := meant(g, reg.Pattern); near != "" {
			diags = append(diags, diag.New(diag.Warning, reg.Position, "no method matches %q%s", reg.Pattern, nearest.Hint([]string{near})))
		} else {
			diags = append(diags, diag.New(diag.Hint, reg.Position, "no method matches %q", reg.Pattern))
		}
	}
	return diags
}

// meant returns the name that a registration of pkg.Service/Method or
// pkg.Service may have meant, or nothing. What has a handler of its own was not.
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
			return r.Method.Path()
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
