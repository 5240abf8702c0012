package dynclient

import (
	"context"
	"errors"
	"io/fs"
	"sync/atomic"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/schema"
)

// Source is a source of schemas: see [Reflection], [Path] and [FS].
type Source struct {
	reflection bool
	files      schema.Source
}

// Reflection is the server itself, by gRPC's reflection service, version v1 or
// else v1alpha. Imports that the server does not have, or has by another name,
// are replaced by the files of the types in use, and by the files that ship
// with dyngate: google/protobuf, google/api, google/rpc, google/type,
// google/longrunning and some more.
func Reflection() Source { return Source{reflection: true} }

// Path is a folder of .proto files (the folder is an import root, like protoc's
// -I), a single .proto file, or a file that holds a FileDescriptorSet or
// buf image (.binpb, .pb, .desc, .protoset). Folders that follow each other in
// a list of sources may import from each other.
func Path(path string) Source { return Source{files: schema.Path(path)} }

// FS is a file system as an import root, for example an embedded one. Messages
// call it name.
func FS(name string, fsys fs.FS) Source { return Source{files: schema.FS(name, fsys)} }

// provider answers for one source, or for several adjacent file sources. It is
// safe for concurrent use.
type provider interface {
	// services returns the full names of all services.
	services(ctx context.Context) ([]protoreflect.FullName, error)

	// find adds the declarations with these names to found. The error joins those
	// of the failed lookups. An unknown name is not an error.
	find(ctx context.Context, names []protoreflect.FullName, found map[protoreflect.FullName]*Symbol) error

	// methods adds the names of the methods of these services to found. It is
	// faster than find, but may not notice that a service is broken.
	methods(ctx context.Context, services []protoreflect.FullName, found map[protoreflect.FullName][]protoreflect.Name) error

	// extension returns the extension of a message with a number; nil if it is
	// unknown.
	extension(ctx context.Context, message protoreflect.FullName, number protoreflect.FieldNumber) (protoreflect.ExtensionDescriptor, error)

	// refresh drops cached schemas. It does not wait.
	refresh()
}

// fileProvider answers from folders, .proto files and descriptor sets. Clients need
// descriptors only. Comments take several times the memory, so they are dropped and
// compiled again on demand.
type fileProvider struct {
	sources      []schema.Source
	limits       FileLimits
	dropComments bool
	sem          chan struct{}                   // held while compiling
	last         atomic.Pointer[schema.Snapshot] // nil until compiled
	commented    atomic.Pointer[schema.Snapshot] // the same with comments; nil until needed
}

func newFileProvider(sources []schema.Source, limits FileLimits, dropComments bool) *fileProvider {
	return &fileProvider{sources: sources, limits: limits, dropComments: dropComments, sem: make(chan struct{}, 1)}
}

// snapshot returns the compiled files. It compiles them if necessary.
func (p *fileProvider) snapshot(ctx context.Context) (*schema.Snapshot, error) {
	return p.compile(ctx, &p.last, p.dropComments)
}

// compile returns the cached snapshot, or compiles the files and caches the
// result.
func (p *fileProvider) compile(ctx context.Context, cached *atomic.Pointer[schema.Snapshot], dropComments bool) (*schema.Snapshot, error) {
	if s := cached.Load(); s != nil {
		return s, nil
	}
	if err := acquire(ctx, p.sem); err != nil {
		return nil, err
	}
	defer func() { <-p.sem }()
	if s := cached.Load(); s != nil {
		return s, nil
	}
	s, err := schema.New(schema.Options{Sources: p.sources, Limits: p.limits}).Compile(ctx)
	if err != nil {
		return nil, err
	}
	if dropComments {
		s.Forget()
	}
	cached.Store(s)
	return s, nil
}

// withComments returns a file with its comments, or fd if the file no longer
// exists.
func (p *fileProvider) withComments(fd protoreflect.FileDescriptor) protoreflect.FileDescriptor {
	from := &p.last
	if p.dropComments {
		from = &p.commented
	}
	s, err := p.compile(context.Background(), from, false)
	if err != nil {
		return fd
	}
	if f := s.File(fd.Path()); f != nil && f.Descriptor() != nil {
		return f.DescriptorWithComments()
	}
	return fd
}

func (p *fileProvider) refresh() {
	p.last.Store(nil)
	p.commented.Store(nil)
}

func (p *fileProvider) services(ctx context.Context) ([]protoreflect.FullName, error) {
	s, err := p.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	if len(s.Services()) == 0 && len(s.Errors()) > 0 {
		return nil, &BrokenError{Diagnostics: s.Errors()}
	}
	names := make([]protoreflect.FullName, len(s.Services()))
	for i, svc := range s.Services() {
		names[i] = svc.Desc.FullName()
	}
	return names, nil
}

func (p *fileProvider) find(ctx context.Context, names []protoreflect.FullName, found map[protoreflect.FullName]*Symbol) error {
	s, err := p.snapshot(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if d, f := s.Find(name); d != nil {
			found[name] = &Symbol{Descriptor: d, Types: f.Types(), Origin: f.Location(), files: s, commented: p.withComments}
			continue
		}
		for _, b := range s.Broken() {
			if b.Name == name || b.Name == name.Parent() {
				err = errors.Join(err, &BrokenError{Name: b.Name, Diagnostics: b.Errors})
			}
		}
	}
	return err
}

func (p *fileProvider) methods(ctx context.Context, services []protoreflect.FullName, found map[protoreflect.FullName][]protoreflect.Name) error {
	symbols := make(map[protoreflect.FullName]*Symbol, len(services))
	err := p.find(ctx, services, symbols)
	for name, sym := range symbols {
		for _, m := range sym.Methods() {
			found[name] = append(found[name], m.Name())
		}
	}
	return err
}

func (p *fileProvider) extension(ctx context.Context, message protoreflect.FullName, number protoreflect.FieldNumber) (protoreflect.ExtensionDescriptor, error) {
	s, err := p.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range s.Files() {
		if f.Descriptor() == nil {
			continue
		}
		var found protoreflect.ExtensionDescriptor
		schema.EachExtension(f.Descriptor(), func(x protoreflect.ExtensionDescriptor) {
			if x.Number() == number && x.ContainingMessage().FullName() == message {
				found = x
			}
		})
		if found != nil {
			return found, nil
		}
	}
	return nil, nil //nolint:nilnil // as the interface says
}

// broken returns the services whose files have errors.
func (p *fileProvider) broken(ctx context.Context) []*BrokenError {
	s, err := p.snapshot(ctx)
	if err != nil {
		return nil
	}
	broken := make([]*BrokenError, len(s.Broken()))
	for i, b := range s.Broken() {
		broken[i] = &BrokenError{Name: b.Name, Diagnostics: b.Errors}
	}
	return broken
}

// acquire fills sem, which holds one element, and waits until it can or ctx
// ends.
func acquire(ctx context.Context, sem chan struct{}) error {
	select {
	case sem <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
