package discovery

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/schema"
)

// Descriptors are kept without comments, which take more memory than all the
// rest. The types here put them back on what a client asks for, imports
// included: grpc's reflection service takes a file from a descriptor's
// ParentFile and its dependencies from Imports.

// sources finds the file that a descriptor was made from, or nil.
type sources func(protoreflect.FileDescriptor) *schema.File

func (s sources) commented(fd protoreflect.FileDescriptor) protoreflect.FileDescriptor {
	c := commented{FileDescriptor: fd, sources: s}
	if f := s(fd); f != nil {
		c.FileDescriptor = f.DescriptorWithComments()
	}
	return c
}

// commented is a file descriptor with comments.
type commented struct {
	protoreflect.FileDescriptor
	sources sources
}

func (c commented) Imports() protoreflect.FileImports {
	return commentedImports{c.FileDescriptor.Imports(), c.sources}
}

// Edition and OptionImports are what protodesc asks of a descriptor beyond its
// interface.

func (c commented) Edition() int32 {
	if e, ok := c.FileDescriptor.(interface{ Edition() int32 }); ok {
		return e.Edition()
	}
	return 0
}

func (c commented) OptionImports() protoreflect.FileImports {
	if o, ok := c.FileDescriptor.(interface {
		OptionImports() protoreflect.FileImports
	}); ok {
		return o.OptionImports()
	}
	return noImports{c.FileDescriptor.Imports()}
}

type commentedImports struct {
	protoreflect.FileImports
	sources sources
}

func (c commentedImports) Get(i int) protoreflect.FileImport {
	imported := c.FileImports.Get(i)
	imported.FileDescriptor = c.sources.commented(imported.FileDescriptor)
	return imported
}

type noImports struct{ protoreflect.FileImports }

func (noImports) Len() int { return 0 }

// located is a declaration whose file has comments.
type located struct {
	protoreflect.Descriptor
	sources sources
}

func (l located) ParentFile() protoreflect.FileDescriptor {
	return l.sources.commented(l.Descriptor.ParentFile())
}

// extension is an extension type whose file has comments.
type extension struct {
	protoreflect.ExtensionType
	sources sources
}

func (x extension) TypeDescriptor() protoreflect.ExtensionTypeDescriptor {
	return extensionDescriptor{x.ExtensionType.TypeDescriptor(), x.sources}
}

type extensionDescriptor struct {
	protoreflect.ExtensionTypeDescriptor
	sources sources
}

func (d extensionDescriptor) ParentFile() protoreflect.FileDescriptor {
	return d.sources.commented(d.ExtensionTypeDescriptor.ParentFile())
}
