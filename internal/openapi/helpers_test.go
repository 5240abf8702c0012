package openapi_test

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/httprule"
	"github.com/dyngate/dyngate/internal/openapi"
	"github.com/dyngate/dyngate/internal/schema"
)

// servicesOf returns the services of a snapshot with the bindings of their annotations,
// and how to find files.
func servicesOf(t testing.TB, s *schema.Snapshot) (all []openapi.Service, files func(protoreflect.FileDescriptor) *schema.File) {
	t.Helper()
	for _, svc := range s.Services() {
		service := openapi.Service{Desc: svc.Desc, File: svc.File}
		for i := range svc.Desc.Methods().Len() {
			m := svc.Desc.Methods().Get(i)
			rule, err := httprule.RuleOf(m)
			if err != nil {
				t.Fatal(err)
			}
			if rule == nil {
				continue
			}
			bindings, problems := httprule.Bindings(m, rule, diag.Position{})
			for _, p := range problems {
				t.Error(p.Message)
			}
			service.Bindings = append(service.Bindings, bindings...)
		}
		all = append(all, service)
	}
	return all, func(fd protoreflect.FileDescriptor) *schema.File { return s.File(fd.Path()) }
}
