package load

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/nearest"
)

// unmatched reports registrations that match no method and are not optional, because
// they may be misspelt. The severity is Warning if a method has a similar name,
// otherwise Hint: the method may be added later.
func unmatched(g *dispatch.Generation) (diags []*diag.Diagnostic) {
	for _, reg := range g.Unmatched {
		if reg.Optional {
			continue
		}
		if near := meant(g, reg.Pattern); near != "" {
			diags = append(diags, diag.New(diag.Warning, reg.Position, "no method matches %q%s", reg.Pattern, nearest.DidYouMean([]string{near})))
		} else {
			diags = append(diags, diag.New(diag.Hint, reg.Position, "no method matches %q", reg.Pattern))
		}
	}
	return diags
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
