package schema

import (
	"slices"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/bufbuild/protocompile/experimental/ir"
	"github.com/bufbuild/protocompile/experimental/seq"
	"github.com/bufbuild/protocompile/experimental/source/length"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/handlers/diag"
)

// File is one .proto file, good or broken.
type File struct {
	input    *input
	linked   *linked // nil if broken
	errors   []*diag.Diagnostic
	services []declared // only of a broken file
	comments bool

	encodings *encodings // the compiler's cache; nil if it has none

	// The compiled file, for comments and positions. It is replaced when an import
	// of the file is compiled again, so that the old import can be freed.
	source atomic.Pointer[ir.File]

	mu       sync.Mutex
	detailed weak.Pointer[detailed]
}

// BuiltIn returns a File without comments for a descriptor in the program.
func BuiltIn(fd protoreflect.FileDescriptor) *File {
	return &File{
		input:  &input{path: fd.Path(), location: "the program's " + fd.Path()},
		linked: &linked{desc: fd, types: NewTypes(fd)},
	}
}

// declared is a service of a file that has no descriptor.
type declared struct {
	name         protoreflect.FullName
	line, column int
	presumed     bool // in the last good version; unknown whether it is in the current text
}

// Path returns the path by which other files import this one.
func (f *File) Path() string { return f.input.path }

// Location returns the file's path as the user wrote it, or
// "set.binpb!a/b.proto" for a file of a descriptor set.
func (f *File) Location() string { return f.input.location }

// Descriptor returns the file's descriptor, linked against its own imports only.
// It has no comments, and is nil while the file is broken.
func (f *File) Descriptor() protoreflect.FileDescriptor {
	if f.linked == nil {
		return nil
	}
	return f.linked.desc
}

// Errors returns the errors in the file's import closure: none if the file is good.
func (f *File) Errors() []*diag.Diagnostic { return f.errors }

// Types returns a resolver for the file's import closure; nil while the file is
// broken.
func (f *File) Types() *Types {
	if f.linked == nil {
		return nil
	}
	return f.linked.types
}

// DescriptorWithComments returns a view of Descriptor whose SourceLocations holds positions and
// comments, so that protodesc.ToFileDescriptorProto returns source_code_info. The view is made on
// demand and cached only while it is in use. If comments are dropped or there is no source, it is
// Descriptor itself; nil while the file is broken.
func (f *File) DescriptorWithComments() protoreflect.FileDescriptor {
	if f.linked == nil {
		return nil
	}
	if !f.comments {
		return f.linked.desc
	}
	if d := f.detail(); d != nil {
		return d
	}
	return f.linked.desc
}

// Position returns the line and column of a declaration of this file, counted from 1; 0, 0 if they are unknown.
func (f *File) Position(d protoreflect.Descriptor) (line, column int) {
	if d == nil || f.linked == nil || d.ParentFile() == nil || d.ParentFile().Path() != f.Path() {
		return 0, 0
	}
	if file := f.source.Load(); file != nil {
		return positionOf(file, string(d.FullName()))
	}
	if view := f.detail(); view != nil {
		if loc := view.SourceLocations().ByDescriptor(d); loc.Path != nil {
			return loc.StartLine + 1, loc.StartColumn + 1
		}
	}
	return 0, 0
}

func (f *File) errorAt(name, format string, args ...any) *diag.Diagnostic {
	return errorAt(f.input, f.source.Load(), name, format, args...)
}

func positionOf(file *ir.File, name string) (line, column int) {
	at, ok := definition(file, name)
	if !ok {
		return 0, 0
	}
	start := at.Location(at.Start, length.Runes)
	return start.Line, start.Column
}

// detailed is a descriptor with source locations. It embeds a descriptor for all methods except
// those that protodesc finds by type assertion.
type detailed struct {
	protoreflect.FileDescriptor
	locations protoreflect.SourceLocations
}

func (d *detailed) SourceLocations() protoreflect.SourceLocations { return d.locations }

// Edition returns the edition's number; protodesc calls it.
func (d *detailed) Edition() int32 {
	if e, ok := d.FileDescriptor.(interface{ Edition() int32 }); ok {
		return e.Edition()
	}
	return 0
}

// OptionImports returns the option imports.
func (d *detailed) OptionImports() protoreflect.FileImports {
	if o, ok := d.FileDescriptor.(interface {
		OptionImports() protoreflect.FileImports
	}); ok {
		return o.OptionImports()
	}
	return noImports
}

var noImports = (&descriptorpb.FileDescriptorProto{}).ProtoReflect().Descriptor().ParentFile().Imports()

// detail returns the view with source locations; nil if there are none.
func (f *File) detail() *detailed {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d := f.detailed.Value(); d != nil {
		return d
	}
	info := f.sourceInfo()
	if info == nil {
		return nil
	}
	d := withSourceInfo(f.linked.desc, info)
	f.detailed = weak.Make(d)
	return d
}

// WithSourceInfo returns a view of a file whose SourceLocations holds info.
func WithSourceInfo(fd protoreflect.FileDescriptor, info *descriptorpb.SourceCodeInfo) protoreflect.FileDescriptor {
	if d := withSourceInfo(fd, info); d != nil {
		return d
	}
	return fd
}

func withSourceInfo(fd protoreflect.FileDescriptor, info *descriptorpb.SourceCodeInfo) *detailed {
	// Only a file can make SourceLocations, because the interface is closed. So
	// this file contains only source info.
	bare, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{Name: proto.String(fd.Path()), SourceCodeInfo: info}, nil)
	if err != nil {
		return nil
	}
	return &detailed{fd, &locations{bare.SourceLocations(), fd}}
}

func (f *File) sourceInfo() (info *descriptorpb.SourceCodeInfo) {
	if f.input.proto != nil {
		return f.input.proto.GetSourceCodeInfo()
	}
	file := f.source.Load()
	if file == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			info = nil // comments are optional: ignore the panic
		}
	}()
	fd, _, err := describe(file, true)
	if err != nil {
		return nil
	}
	return fd.GetSourceCodeInfo()
}

// publish sets the node's File. It keeps the old one if no visible part of it changed.
func (n *node) publish(made *linked, comments bool, encodings *encodings) {
	source := n.ir
	if n.in.proto != nil {
		source = nil // it was compiled from an outline
	}
	if made != nil {
		n.prior, n.goodIn = made, n.in
	}
	if made != nil && n.file != nil && n.file.linked == made && n.file.input == n.in {
		n.file.source.Store(source)
		return
	}
	n.file = &File{input: n.in, linked: made, comments: comments, encodings: encodings}
	n.file.source.Store(source)
	if made != nil {
		return
	}
	for _, b := range n.broken {
		n.file.errors = append(n.file.errors, errorsOf(b.own)...)
		if len(n.file.errors) > maxDiagnostics {
			break
		}
	}
	n.file.errors = atMost(diag.Sort(n.file.errors), n.in.location)
	n.file.services = n.declaredServices()
}

// declaredServices returns the services of a broken file: those that can be read in its text, and
// those of its last good version, which is still served.
func (n *node) declaredServices() []declared {
	out := n.servicesInText()
	if n.prior == nil {
		return out
	}
	list := n.prior.desc.Services()
	for i := range list.Len() {
		name := list.Get(i).FullName()
		if !slices.ContainsFunc(out, func(d declared) bool { return d.name == name }) {
			out = append(out, declared{name: name, presumed: true})
		}
	}
	return out
}

func (n *node) servicesInText() (out []declared) {
	if n.in.proto != nil {
		for _, s := range n.in.proto.GetService() {
			name := protoreflect.FullName(s.GetName())
			if pkg := n.in.proto.GetPackage(); pkg != "" {
				name = protoreflect.FullName(pkg) + "." + name
			}
			if name.IsValid() {
				out = append(out, declared{name: name})
			}
		}
		return out
	}
	if n.ir == nil {
		return nil
	}
	defer func() { _ = recover() }() // a broken file's declarations may be incomplete
	for s := range seq.Values(n.ir.Services()) {
		name := protoreflect.FullName(s.FullName())
		if !name.IsValid() {
			continue
		}
		d := declared{name: name}
		d.line, d.column = positionOf(n.ir, string(name))
		out = append(out, d)
	}
	return out
}
