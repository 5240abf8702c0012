package reflection

import (
	"context"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/dyngate/dyngate/internal/schema"
)

// scope holds the files that one file can see: its imports, and their public
// imports. It resolves names for protodesc.
type scope struct {
	ctx    context.Context
	byPath map[string]protoreflect.FileDescriptor // the imports
	seen   map[string]bool
	files  map[protoreflect.FullName][]protoreflect.FileDescriptor // by package
}

func newScope(ctx context.Context) *scope {
	return &scope{
		ctx: ctx, byPath: make(map[string]protoreflect.FileDescriptor), seen: make(map[string]bool),
		files: make(map[protoreflect.FullName][]protoreflect.FileDescriptor),
	}
}

// add adds an import.
func (s *scope) add(fd protoreflect.FileDescriptor) {
	s.byPath[fd.Path()] = fd
	s.show(fd)
}

func (s *scope) show(fd protoreflect.FileDescriptor) {
	if s.seen[fd.Path()] {
		return
	}
	s.seen[fd.Path()] = true
	s.files[fd.Package()] = append(s.files[fd.Package()], fd)
	for i := range fd.Imports().Len() {
		if imp := fd.Imports().Get(i); imp.IsPublic {
			s.show(imp.FileDescriptor)
		}
	}
}

// FindFileByPath implements protodesc.Resolver.
func (s *scope) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	if fd := s.byPath[path]; fd != nil {
		return fd, nil
	}
	return nil, protoregistry.NotFound
}

// FindDescriptorByName implements protodesc.Resolver. A hostile file may take
// long to look up all of its names; it fails when the context ends.
func (s *scope) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if s.ctx.Err() != nil {
		return nil, context.Cause(s.ctx)
	}
	for pkg := name.Parent(); ; pkg = pkg.Parent() {
		for _, fd := range s.files[pkg] {
			if d := schema.Find(fd, name); d != nil {
				return d, nil
			}
		}
		if pkg == "" {
			return nil, protoregistry.NotFound
		}
	}
}
