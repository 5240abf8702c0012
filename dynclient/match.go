package dynclient

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/nearest"
	"github.com/dyngate/dyngate/internal/schema"
)

// MatchService finds a service by its full name, or by the end of it if only
// one service matches. The error is a [*LookupError] if none matches, or
// several do.
func (s *Schema) MatchService(ctx context.Context, name string) (*Symbol, error) {
	names, err := s.Services(ctx)
	if err != nil {
		return nil, err
	}
	full := stringsOf(names)
	matches := full[:0:0]
	for _, n := range full {
		if n == name {
			return s.Find(ctx, protoreflect.FullName(n))
		}
		if name != "" && endsIn(protoreflect.FullName(n), name) {
			matches = append(matches, n)
		}
	}
	switch len(matches) {
	case 1:
		return s.Find(ctx, protoreflect.FullName(matches[0]))
	case 0:
		if err := s.brokenEnding(ctx, name); err != nil {
			return nil, err
		}
		near := nearest.Names(name, full, maxCandidates)
		if len(near) == 0 {
			near = full
		}
		return nil, (&LookupError{Name: name, Kind: "service"}).among(near)
	}
	return nil, (&LookupError{Name: name, Kind: "service", Ambiguous: true}).among(matches)
}

// Match finds a declaration of any kind by its full name, or by the end of it
// if only one declaration matches: Greeter/SayHello, HelloRequest,
// HelloRequest.name. A shortened name is looked up in the files of the services
// and the files they import. The error is a [*LookupError] if no declaration
// matches, or several do.
func (s *Schema) Match(ctx context.Context, name string) (*Symbol, error) {
	name = strings.ReplaceAll(strings.Trim(name, "/."), "/", ".")
	sym, err := s.findInside(ctx, protoreflect.FullName(name))
	if sym != nil || err != nil {
		return sym, err
	}
	services, err := s.Services(ctx)
	if err != nil {
		return nil, err
	}
	w := &declarations{name: name, seen: make(map[string]bool)}
	services = slices.DeleteFunc(services, isInfrastructureService)
	known, failure := s.FindAll(ctx, services)
	for _, service := range services {
		if sym := known[service]; sym != nil {
			w.visit(sym, sym.ParentFile())
		}
	}
	if failure != nil && (len(w.found) == 0 || cutShort(ctx, failure)) {
		return nil, failure // a declaration that could not be read may match too
	}
	switch len(w.found) {
	case 1:
		return w.found[0], nil
	case 0:
		service, _ := splitMethod(name)
		if err := cmp.Or(s.brokenEnding(ctx, name), s.brokenEnding(ctx, service)); err != nil {
			return nil, err
		}
		return nil, (&LookupError{Name: name, Kind: "declaration"}).among(w.candidates())
	}
	matches := make([]string, len(w.found))
	for i, sym := range w.found {
		matches[i] = string(sym.FullName())
	}
	return nil, (&LookupError{Name: name, Kind: "declaration", Ambiguous: true}).among(matches)
}

// declarations collects the declarations whose full names end in name.
type declarations struct {
	name  string
	seen  map[string]bool // files, by path
	found []*Symbol
	known []string // names to suggest
}

// visit searches a file and the files it imports.
func (w *declarations) visit(from *Symbol, fd protoreflect.FileDescriptor) {
	if w.seen[fd.Path()] || fd.IsPlaceholder() {
		return
	}
	w.seen[fd.Path()] = true
	for scope := fd.Package(); ; scope = scope.Parent() {
		w.add(from, schema.Find(fd, protoreflect.FullName(strings.TrimPrefix(string(scope)+"."+w.name, "."))))
		if scope == "" {
			break
		}
	}
	for i := range fd.Services().Len() {
		sd := fd.Services().Get(i)
		w.known = append(w.known, string(sd.FullName()))
		for j := range sd.Methods().Len() {
			w.known = append(w.known, string(sd.Methods().Get(j).FullName()))
		}
		if md := sd.Methods().ByName(protoreflect.Name(w.name)); md != nil {
			w.add(from, md)
		}
	}
	for i := range fd.Messages().Len() {
		w.known = append(w.known, string(fd.Messages().Get(i).FullName()))
	}
	for i := range fd.Imports().Len() {
		w.visit(from, fd.Imports().Get(i).FileDescriptor)
	}
}

func (w *declarations) add(from *Symbol, d protoreflect.Descriptor) {
	if d == nil || slices.ContainsFunc(w.found, func(s *Symbol) bool { return s.FullName() == d.FullName() }) {
		return
	}
	w.found = append(w.found, from.Sibling(d))
}

func (w *declarations) candidates() []string {
	slices.Sort(w.known)
	known := slices.Compact(w.known) // files may declare the same names
	if near := nearest.Names(w.name, known, maxCandidates); len(near) > 0 {
		return near
	}
	return known
}
