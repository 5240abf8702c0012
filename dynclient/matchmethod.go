package dynclient

import (
	"context"
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

// MatchMethod is Method for people: the name may be shortened from the left as
// long as only one method ends so, as in Greeter/SayHello and SayHello, and may
// have a dot for the slash. A method of gRPC's own services (reflection, health,
// channelz) is meant only if no other matches. The error is a [*LookupError] if
// no method matches, or several do.
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
	matches, err := s.methodsEnding(ctx, names, service, method)
	if own := slices.DeleteFunc(slices.Clone(matches), isInfrastructure); len(own) > 0 {
		matches = own
	}
	switch {
	case len(matches) == 1:
		return matches[0], nil
	case len(matches) > 1:
		return nil, &LookupError{Name: name, Kind: "method", Ambiguous: true, Candidates: firstOf(pathsOf(matches))}
	case err != nil:
		return nil, err
	}
	if err := s.brokenEnding(ctx, service); err != nil {
		return nil, err
	}
	return nil, s.unknownMethod(ctx, service, method)
}

// brokenEnding returns the error of a service whose name ends so and whose file
// has errors.
func (s *Schema) brokenEnding(ctx context.Context, service string) error {
	for _, b := range s.Broken(ctx) {
		if service != "" && endsIn(b.Name, service) {
			return b
		}
	}
	return nil
}

// splitMethod takes the name of a method apart at the slash, or else at the last
// dot. The service is empty if there is neither.
func splitMethod(name string) (service, method string) {
	at := strings.LastIndexByte(name, '/')
	if at < 0 {
		at = strings.LastIndexByte(name, '.')
	}
	return name[:max(at, 0)], name[at+1:]
}

// methodsEnding returns the methods of that name in the services whose name ends
// in service. The error is of services whose schema cannot be had.
func (s *Schema) methodsEnding(ctx context.Context, names []protoreflect.FullName, service, method string) (matches []*Method, err error) {
	names = slices.DeleteFunc(slices.Clone(names), func(name protoreflect.FullName) bool { return !endsIn(name, service) })
	found, err := s.FindAll(ctx, names)
	if cutShort(ctx, err) {
		return nil, err // what was not seen may match as well
	}
	for _, name := range names {
		if m := methodOf(found[name], method); m != nil {
			matches = append(matches, m)
		}
	}
	return matches, err
}

// cutShort reports whether a search that failed with err has not seen everything
// for a reason that is not in the schema. The server's clock may be ahead of ctx.
func cutShort(ctx context.Context, err error) bool {
	switch status.Code(err) {
	case codes.Canceled, codes.DeadlineExceeded, codes.Unavailable:
		return true
	}
	return err != nil && ctx.Err() != nil
}

// endsIn reports whether a full name is what a shortened one may stand for.
func endsIn(name protoreflect.FullName, short string) bool {
	return short == "" || string(name) == short || strings.HasSuffix(string(name), "."+short)
}

func isInfrastructure(m *Method) bool { return isInfrastructureService(m.Parent().FullName()) }

func isInfrastructureService(name protoreflect.FullName) bool {
	for _, pkg := range []string{"grpc.reflection.", "grpc.health.", "grpc.channelz."} {
		if strings.HasPrefix(string(name), pkg) {
			return true
		}
	}
	return false
}

// unknownMethod makes the error for a method that is not there: its candidates
// are the methods of the service, if there is one of that name, or else of what
// is nearest.
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
			return fmt.Errorf("service %s is listed, but nothing tells what is in it", service)
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
		e.Candidates = s.nearestMethods(ctx, scope, method)
		return e
	}
	if service != "" {
		e.Kind, e.Name, e.Candidates = "service", service, firstOf(stringsOf(names))
		return e
	}
	e.Candidates = s.nearestMethods(ctx, names, method)
	return e
}

// nearestMethods returns the paths of the services' methods whose names are near
// to name, or else of the first few.
func (s *Schema) nearestMethods(ctx context.Context, services []protoreflect.FullName, name string) []string {
	paths := make(map[string][]string) // by the method's name
	var names, all []string
	found, _ := s.FindAll(ctx, services) // what cannot be had cannot be suggested
	for _, service := range services {
		for _, m := range found[service].Methods() {
			name := string(m.Name())
			if paths[name] == nil {
				names = append(names, name)
			}
			paths[name] = append(paths[name], m.Path())
			all = append(all, m.Path())
		}
	}
	var near []string
	for _, m := range nearest.Names(name, names, maxCandidates) {
		near = append(near, paths[m]...)
	}
	if len(near) == 0 {
		near = all
	}
	return firstOf(near)
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

func firstOf(names []string) []string { return names[:min(len(names), maxCandidates)] }
