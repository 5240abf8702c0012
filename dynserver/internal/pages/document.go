package pages

import (
	"context"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/internal/httprule"
	"github.com/dyngate/dyngate/internal/openapi"
	"github.com/dyngate/dyngate/internal/schema"
)

// Document describes the services of a generation, without those that the server itself
// answers.
func Document(ctx context.Context, g *dispatch.Generation, opts openapi.Options) (*openapi.Document, error) {
	services := make([]openapi.Service, len(g.Services))
	for i, s := range g.Services {
		services[i] = openapi.Service{Desc: s.Desc, File: s.File, Bindings: bindingsOf(g, s)}
	}
	files := func(fd protoreflect.FileDescriptor) *schema.File { return g.Snapshot.File(fd.Path()) }
	return openapi.New(ctx, services, files, opts)
}

// bindingsOf returns the bindings of a service that requests find.
func bindingsOf(g *dispatch.Generation, s *dispatch.Service) (bound []*httprule.Binding) {
	for _, b := range s.HTTP {
		if g.HTTP().Has(b) {
			bound = append(bound, b)
		}
	}
	return bound
}
