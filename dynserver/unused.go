package dynserver

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/internal/nearest"
)

// logUnused names registrations that no method matches, since a misspelt one
// would otherwise go unnoticed. It is no error: the method may come with the
// next file. It is a warning when there is a method that may have been meant.
func (s *Server) logUnused(g *dispatch.Generation) {
	used := make(map[string]bool)
	for _, svc := range g.Services {
		for _, r := range svc.Routes {
			if r.Registration != nil {
				used[r.Registration.Pattern] = true
			}
		}
	}
	for _, reg := range s.config.Handlers.All() {
		if used[reg.Pattern] {
			continue
		}
		if near := meant(g, reg.Pattern); near != "" {
			s.config.Log.Warn("no method matches a handler", "registered", reg.Pattern, "at", reg.Site, "did_you_mean", near)
			continue
		}
		s.config.Log.Debug("no method matches a handler", "registered", reg.Pattern, "at", reg.Site)
	}
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
		if r.Registration == nil && exact && len(nearest.Names(method, []string{string(r.Method.Name())}, 1)) > 0 {
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
