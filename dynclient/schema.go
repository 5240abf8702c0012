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

// Schema is what services, methods and types there are, as its sources tell.
// Where several know a name, the first of them counts. It is safe for
// concurrent use.
type Schema struct {
	providers []provider

	generation atomic.Uint64 // counts the refreshes

	mu        sync.Mutex
	suspected time.Time // when an answer last made it refresh
}

// NewSchema returns a schema of files, without a server. Nothing is read before
// the first question. Reflection, which takes a [Client], is left out.
func NewSchema(sources ...Source) *Schema { return newSchema(sources, nil) }

// newSchema makes a schema of which reflecting, if there is one, answers for the
// server.
func newSchema(sources []Source, reflecting provider) *Schema {
	s := new(Schema)
	var files []schema.Source
	flush := func() {
		if len(files) > 0 {
			s.providers = append(s.providers, newFileProvider(files, reflecting != nil))
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

// Services returns the full names of all services, sorted. A source that fails
// is an error only if no other source has services.
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

// Broken returns the services that cannot be used for the errors in the schema's
// files, by name.
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

// maxName bounds the length of the names that are asked for, in bytes.
const maxName = 1000

// findInside is find for what servers may not know by name: methods, fields and
// the like are found by what they are in, which is asked for as well.
func (s *Schema) findInside(ctx context.Context, name protoreflect.FullName) (*Symbol, error) {
	const levels = 4 // that are asked for
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

// FindAll is Find for many names, which takes a server much less time than one
// after the other. Unknown names are absent from the result. The error
// joins the lookups that failed; the result holds the others.
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

// find is Find with neither a symbol nor an error for a name that all sources
// lack.
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

// Method returns the method with a path: pkg.Service/Method, a leading slash
// allowed. The error is a [*LookupError], with the nearest names, if there is
// none.
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

// methodOf returns a service's method; nil if it has none of that name, or is no
// service.
func methodOf(sym *Symbol, name string) *Method {
	for _, m := range sym.Methods() {
		if string(m.Name()) == name {
			return m
		}
	}
	return nil
}

// Refresh forgets what was learnt: files are looked at and reflection is asked
// again when a question comes. Calls in progress keep what they began with. It
// does not wait for anything.
func (s *Schema) Refresh() {
	for _, p := range s.providers {
		p.refresh()
	}
	s.generation.Add(1)
}

// suspicion is how much time must pass between two refreshes that answers of
// the server give rise to: a method may be UNIMPLEMENTED by design.
const suspicion = 10 * time.Second

// suspect forgets the schema from reflection, since the server contradicted it.
func (s *Schema) suspect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.suspected) < suspicion {
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

// load reads the files, so that what cannot be read at all is known at once.
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
