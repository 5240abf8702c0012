package dynclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/nearest"
)

// maxCandidates bounds how many names a [LookupError] lists.
const maxCandidates = 10

// MatchMethod finds a method by the end of its path if only one method matches,
// as in Greeter/SayHello and SayHello. The name may have a dot instead of the
// slash. Methods of gRPC's own services (reflection, health, channelz) match
// only if no other method does. The error is a [*LookupError] if no method
// matches, or several do.
func (s *Schema) MatchMethod(ctx context.Context, name string) (*Method, error) {
	name = strings.TrimPrefix(name, "/")
	service, method := splitMethod(name)
	if service != "" {
		sym, err := s.find(ctx, protoreflect.FullName(service))
		if err != nil {
			return nil, err
		}
		if m := methodOf(sym, method); m != nil {
			return m, nil
		}
	}
	names, err := s.Services(ctx)
	if err != nil {
		return nil, err
	}
	matches, rest, err := s.methodsEnding(ctx, names, service, method)
	switch {
	case len(matches) == 1:
		return matches[0], nil
	case len(matches) > 1:
		e := (&LookupError{Name: name, Kind: "method", Ambiguous: true}).among(pathsOf(matches))
		e.More += rest
		return nil, e
	case err != nil:
		return nil, err
	}
	if err := s.brokenEnding(ctx, service); err != nil {
		return nil, err
	}
	return nil, s.unknownMethod(ctx, service, method)
}

// brokenEnding returns the error of a service whose name ends in service and
// whose file has errors.
func (s *Schema) brokenEnding(ctx context.Context, service string) error {
	for _, b := range s.Broken(ctx) {
		if service != "" && endsIn(b.Name, service) {
			return b
		}
	}
	return nil
}

// splitMethod splits the name of a method at the slash, or else at the last
// dot. The service is empty if the name has neither.
func splitMethod(name string) (service, method string) {
	at := strings.LastIndexByte(name, '/')
	if at < 0 {
		at = strings.LastIndexByte(name, '.')
	}
	return name[:max(at, 0)], name[at+1:]
}

// methodsEnding returns the methods called method in the services whose name ends
// in service. The error joins those of the services that cannot be read. Only
// services that have such a method are linked, and only the first few if there are
// many: rest is the number of the others.
func (s *Schema) methodsEnding(ctx context.Context, names []protoreflect.FullName, service, method string) (matches []*Method, rest int, err error) {
	names = slices.DeleteFunc(slices.Clone(names), func(name protoreflect.FullName) bool { return !endsIn(name, service) })
	methods, err := s.methods(ctx, names)
	if cutShort(ctx, err) {
		return nil, 0, err // a service that could not be read may match too
	}
	names = slices.DeleteFunc(names, func(name protoreflect.FullName) bool {
		return !slices.Contains(methods[name], protoreflect.Name(method))
	})
	if own := slices.DeleteFunc(slices.Clone(names), isInfrastructureService); len(own) > 0 {
		names = own
	}
	rest = max(0, len(names)-maxCandidates-1)
	names = names[:len(names)-rest]
	found, failure := s.FindAll(ctx, names)
	if cutShort(ctx, failure) {
		return nil, 0, failure
	}
	for _, name := range names {
		if m := methodOf(found[name], method); m != nil {
			matches = append(matches, m)
		}
	}
	return matches, rest, errors.Join(err, failure)
}

// methods returns the names of the methods of services.
func (s *Schema) methods(ctx context.Context, services []protoreflect.FullName) (map[protoreflect.FullName][]protoreflect.Name, error) {
	found := make(map[protoreflect.FullName][]protoreflect.Name, len(services))
	rest := slices.Clone(services)
	var failure error
	for _, p := range s.providers {
		failure = errors.Join(failure, p.methods(ctx, rest, found))
		rest = slices.DeleteFunc(rest, func(name protoreflect.FullName) bool { _, ok := found[name]; return ok })
		if len(rest) == 0 {
			return found, nil
		}
	}
	return found, failure
}

// cutShort reports whether a search stopped early with err, for a reason
// outside the schema. The server's clock may be ahead of ctx.
func cutShort(ctx context.Context, err error) bool {
	switch status.Code(err) {
	case codes.Canceled, codes.DeadlineExceeded, codes.Unavailable:
		return true
	}
	return err != nil && ctx.Err() != nil
}

// endsIn reports whether short matches a full name, or its end after a dot.
func endsIn(name protoreflect.FullName, short string) bool {
	return short == "" || string(name) == short || strings.HasSuffix(string(name), "."+short)
}

func isInfrastructureService(name protoreflect.FullName) bool {
	for _, pkg := range []string{"grpc.reflection.", "grpc.health.", "grpc.channelz."} {
		if strings.HasPrefix(string(name), pkg) {
			return true
		}
	}
	return false
}

// unknownMethod returns the error for an unknown method. Its candidates are
// methods of the service, or of the services with the nearest names if the
// service is unknown too.
func (s *Schema) unknownMethod(ctx context.Context, service, method string) error {
	e := &LookupError{Name: strings.TrimPrefix(service+"/"+method, "/"), Kind: "method"}
	names, err := s.Services(ctx)
	if err != nil {
		return err
	}
	if slices.Contains(names, protoreflect.FullName(service)) {
		sym, err := s.find(ctx, protoreflect.FullName(service))
		if err != nil {
			return err
		}
		if sym == nil {
			return fmt.Errorf("service %s is listed, but its descriptor is missing", service)
		}
	}
	names = slices.DeleteFunc(names, isInfrastructureService)
	var scope []protoreflect.FullName
	for _, name := range names {
		if service != "" && endsIn(name, service) {
			scope = append(scope, name)
		}
	}
	if service != "" && len(scope) == 0 {
		for _, near := range nearest.Names(service, stringsOf(names), 3) {
			scope = append(scope, protoreflect.FullName(near))
		}
	}
	if len(scope) > 0 {
		return e.among(s.nearestMethods(ctx, scope, method))
	}
	if service != "" {
		e.Kind, e.Name = "service", service
		return e.among(stringsOf(names))
	}
	return e.among(s.nearestMethods(ctx, names, method))
}

// nearestMethods returns the paths of the services' methods with the nearest
// names, or else all paths.
func (s *Schema) nearestMethods(ctx context.Context, services []protoreflect.FullName, name string) []string {
	paths := make(map[string][]string) // by the method's name
	var names, all []string
	found, _ := s.methods(ctx, services) // services that cannot be read are not suggested
	for _, service := range services {
		for _, m := range found[service] {
			name, path := string(m), string(service)+"/"+string(m)
			if paths[name] == nil {
				names = append(names, name)
			}
			paths[name] = append(paths[name], path)
			all = append(all, path)
		}
	}
	var near []string
	for _, m := range nearest.Names(name, names, maxCandidates) {
		near = append(near, paths[m]...)
	}
	if len(near) == 0 {
		near = all
	}
	return near
}

func pathsOf(methods []*Method) []string {
	paths := make([]string, len(methods))
	for i, m := range methods {
		paths[i] = m.Path()
	}
	return paths
}

func stringsOf(names []protoreflect.FullName) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = string(name)
	}
	return out
}

// among makes the first names the candidates, and counts the others.
func (e *LookupError) among(names []string) *LookupError {
	e.Candidates = names[:min(len(names), maxCandidates)]
	e.More = len(names) - len(e.Candidates)
	return e
}
