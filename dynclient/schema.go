package dynclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/schema"
)

// Schema finds services, methods and types in its sources. If several declare a
// name, the first takes precedence. It is safe for concurrent use.
type Schema struct {
	providers []provider

	generation atomic.Uint64 // counts the refreshes

	mu        sync.Mutex
	suspected time.Time // time of the last refresh by suspect
}

// NewSchema returns a schema of files, without a server. It reads nothing
// before the first lookup. It ignores Reflection, which requires a [Client].
func NewSchema(sources ...Source) *Schema { return newSchema(sources, FileLimits{}, nil) }

// newSchema builds a Schema; reflecting, if not nil, answers for Reflection
// sources.
func newSchema(sources []Source, limits FileLimits, reflecting provider) *Schema {
	s := new(Schema)
	var files []schema.Source
	flush := func() {
		if len(files) > 0 {
			s.providers = append(s.providers, newFileProvider(files, limits, reflecting != nil))
		}
		files = nil
	}
	for _, src := range sources {
		if !src.reflection {
			files = append(files, src.files)
			continue
		}
		flush()
		if reflecting != nil {
			s.providers = append(s.providers, reflecting)
		}
	}
	flush()
	return s
}

// Services returns the full names of all services, sorted. If a source fails,
// Services returns its error only if no other source has services.
func (s *Schema) Services(ctx context.Context) ([]protoreflect.FullName, error) {
	var names []protoreflect.FullName
	var failure error
	for _, p := range s.providers {
		list, err := p.services(ctx)
		failure = errors.Join(failure, err)
		names = append(names, list...)
	}
	if len(names) == 0 {
		return nil, failure
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Broken returns the services that cannot be used because of errors in the
// schema's files, with those errors.
func (s *Schema) Broken(ctx context.Context) (broken []*BrokenError) {
	for _, p := range s.providers {
		if files, ok := p.(*fileProvider); ok {
			broken = append(broken, files.broken(ctx)...)
		}
	}
	return broken
}

// Find finds a declaration of any kind by its full name, as pkg.Service.Method
// or pkg.Message.field. The error is a [*LookupError] if there is none.
func (s *Schema) Find(ctx context.Context, name protoreflect.FullName) (*Symbol, error) {
	sym, err := s.findInside(ctx, name)
	if sym == nil && err == nil {
		return nil, &LookupError{Name: string(name), Kind: "declaration"}
	}
	return sym, err
}

// maxName limits the length of the names that are looked up, in bytes.
const maxName = 1000

// findInside is like find. It also finds the names that servers may not know,
// such as methods and fields, by looking up the declarations around them.
func (s *Schema) findInside(ctx context.Context, name protoreflect.FullName) (*Symbol, error) {
	const levels = 4 // how many names are looked up
	scope := name
	for range levels {
		sym, err := s.find(ctx, scope)
		if err != nil {
			return nil, err
		}
		if sym != nil && scope == name {
			return sym, nil
		}
		if sym != nil {
			if d := schema.Find(sym.ParentFile(), name); d != nil {
				return sym.Sibling(d), nil
			}
			return nil, nil //nolint:nilnil // as with find
		}
		if scope = scope.Parent(); scope == "" {
			break
		}
	}
	return nil, nil //nolint:nilnil // as with find
}

// FindAll is like Find for many names, but much faster than one after the
// other. Unknown names are absent from the result. The error joins the lookups
// that failed; the result holds the others.
func (s *Schema) FindAll(ctx context.Context, names []protoreflect.FullName) (map[protoreflect.FullName]*Symbol, error) {
	found := make(map[protoreflect.FullName]*Symbol, len(names))
	rest := slices.DeleteFunc(slices.Clone(names), func(name protoreflect.FullName) bool { return !name.IsValid() || len(name) > maxName })
	var failure error
	for _, p := range s.providers {
		failure = errors.Join(failure, p.find(ctx, rest, found))
		rest = slices.DeleteFunc(rest, func(name protoreflect.FullName) bool { return found[name] != nil })
		if len(rest) == 0 {
			return found, nil
		}
	}
	return found, failure
}

// find is like Find, but returns neither a symbol nor an error for an unknown
// name.
func (s *Schema) find(ctx context.Context, name protoreflect.FullName) (*Symbol, error) {
	found, err := s.FindAll(ctx, []protoreflect.FullName{name})
	if sym := found[name]; sym != nil {
		return sym, nil
	}
	return nil, err
}

// extension returns an extension; nil if no source has it.
func (s *Schema) extension(ctx context.Context, message protoreflect.FullName, number protoreflect.FieldNumber) protoreflect.ExtensionDescriptor {
	for _, p := range s.providers {
		if xd, err := p.extension(ctx, message, number); err == nil && xd != nil {
			return xd
		}
	}
	return nil
}

// Method returns the method with a path: pkg.Service/Method, with or without a
// leading slash. The error for an unknown method is a [*LookupError] with the
// nearest names.
func (s *Schema) Method(ctx context.Context, path string) (*Method, error) {
	service, name, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !ok {
		return nil, fmt.Errorf("%q is not the path of a method: write pkg.Service/Method", path)
	}
	sym, err := s.find(ctx, protoreflect.FullName(service))
	if err != nil {
		return nil, err
	}
	if m := methodOf(sym, name); m != nil {
		return m, nil
	}
	return nil, s.unknownMethod(ctx, service, name)
}

// methodOf returns a service's method; nil if sym is not a service or has no
// such method.
func methodOf(sym *Symbol, name string) *Method {
	for _, m := range sym.Methods() {
		if string(m.Name()) == name {
			return m
		}
	}
	return nil
}

// Refresh drops cached schemas; the next lookup reads them again. Calls in
// progress keep the schema they started with. Refresh does not wait for
// anything.
func (s *Schema) Refresh() {
	for _, p := range s.providers {
		p.refresh()
	}
	s.generation.Add(1)
}

// minRefreshInterval is the least time between two refreshes by suspect: a
// method may be UNIMPLEMENTED by design.
const minRefreshInterval = 10 * time.Second

// suspect drops the schema from reflection, because an answer of the server
// contradicted it.
func (s *Schema) suspect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.suspected) < minRefreshInterval {
		return
	}
	s.suspected = time.Now()
	for _, p := range s.providers {
		if r, ok := p.(*reflector); ok {
			r.refresh()
			s.generation.Add(1)
		}
	}
}

// load reads the files, so that Dial reports those that cannot be read.
func (s *Schema) load(ctx context.Context) error {
	for _, p := range s.providers {
		if files, ok := p.(*fileProvider); ok {
			if _, err := files.snapshot(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}
