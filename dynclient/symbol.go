package dynclient

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/codec"
	"github.com/dyngate/dyngate/internal/schema"
)

// Symbol is a declaration of a schema.
type Symbol struct {
	protoreflect.Descriptor

	// Types resolves the types in the import closure of the symbol's file.
	Types Types

	// Origin is the source of the declaration: a file, or the reflection of a
	// server.
	Origin string

	files     *schema.Snapshot // nil for a symbol from reflection
	commented func(protoreflect.FileDescriptor) protoreflect.FileDescriptor
}

// File returns the file that declares the symbol, with comments and positions
// if the source has them. The first call on a client compiles its files again.
func (s *Symbol) File() protoreflect.FileDescriptor {
	if s.commented != nil {
		return s.commented(s.ParentFile())
	}
	return s.ParentFile()
}

// AlsoIn returns the locations of other files in the same sources that declare
// the same full name. It is empty for a symbol from reflection.
func (s *Symbol) AlsoIn() (locations []string) {
	if s.files == nil {
		return nil
	}
	own := s.files.File(s.ParentFile().Path())
	for _, f := range s.files.Files() {
		if f == own || own != nil && f.Location() == own.Location() || f.Descriptor() == nil || schema.Find(f.Descriptor(), s.FullName()) == nil {
			continue
		}
		locations = append(locations, f.Location())
	}
	return locations
}

// Sibling returns a symbol for d, which the symbol's file or one of its imports
// declares.
func (s *Symbol) Sibling(d protoreflect.Descriptor) *Symbol {
	sibling := *s
	sibling.Descriptor = d
	if s.files != nil {
		if f := s.files.File(d.ParentFile().Path()); f != nil {
			sibling.Origin = f.Location()
		}
	}
	return &sibling
}

// Methods returns the methods of a service, in their order; nil if the symbol
// is not a service.
func (s *Symbol) Methods() []*Method {
	if s == nil {
		return nil
	}
	sd, ok := s.Descriptor.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil
	}
	methods := make([]*Method, sd.Methods().Len())
	for i := range methods {
		methods[i] = &Method{MethodDescriptor: sd.Methods().Get(i), Types: s.Types, Origin: s.Origin}
	}
	return methods
}

// Types resolves message and extension types by name, URL or number.
type Types = codec.Types

// Method is a method of a schema.
type Method struct {
	protoreflect.MethodDescriptor
	Types  Types  // as in [Symbol]
	Origin string // as in [Symbol]
}

// Path returns the method's path: pkg.Service/Method.
func (m *Method) Path() string {
	return string(m.Parent().FullName()) + "/" + string(m.Name())
}

// NewRequest returns an empty request message.
func (m *Method) NewRequest() *Dynamic {
	return codec.NewDynamic(m.Input(), m.Types)
}
