package schema

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Index finds declarations in files by their names: messages, enums, their values, fields,
// oneofs, extensions, services and methods. It is immutable and safe for concurrent use.
//
// Unrelated files may declare the same name. Lookups return the declaration in the first of them,
// in the order of the index. A nil Index is empty.
type Index struct {
	byPath     map[string]protoreflect.FileDescriptor
	packages   map[protoreflect.FullName]*packageIndex
	extensions func() map[protoreflect.FullName][]protoreflect.ExtensionDescriptor
}

// packageIndex is the part of an index for one package. Indexes share it if none of the
// package's files changed.
type packageIndex struct {
	files   []protoreflect.FileDescriptor
	first   map[protoreflect.FullName]protoreflect.FileDescriptor   // declares a top-level name; the first if several do
	several map[protoreflect.FullName][]protoreflect.FileDescriptor // only names that several files declare

	extensions func() []protoreflect.ExtensionDescriptor
}

// NewIndex returns an index of files and of all their imports. Broken files are left out.
func NewIndex(files []*File) *Index {
	var all []protoreflect.FileDescriptor
	seen := make(map[string]bool)
	var visit func(fd protoreflect.FileDescriptor)
	visit = func(fd protoreflect.FileDescriptor) {
		if fd == nil || fd.IsPlaceholder() || seen[fd.Path()] {
			return
		}
		seen[fd.Path()] = true
		all = append(all, fd)
		for i := range fd.Imports().Len() {
			visit(fd.Imports().Get(i).FileDescriptor)
		}
	}
	for _, f := range files {
		visit(f.Descriptor())
	}
	return newIndex(all, nil)
}

// newIndex returns an index of these files only. It reuses the unchanged parts of an earlier index,
// which may be nil.
func newIndex(files []protoreflect.FileDescriptor, earlier *Index) *Index {
	x := &Index{
		byPath:   make(map[string]protoreflect.FileDescriptor, len(files)),
		packages: make(map[protoreflect.FullName]*packageIndex),
	}
	for _, fd := range files {
		x.byPath[fd.Path()] = fd
		p := x.packages[fd.Package()]
		if p == nil {
			p = new(packageIndex)
			x.packages[fd.Package()] = p
		}
		p.files = append(p.files, fd)
	}
	for name, p := range x.packages {
		if earlier != nil && earlier.packages[name] != nil && slices.Equal(earlier.packages[name].files, p.files) {
			x.packages[name] = earlier.packages[name]
		} else {
			p.build()
		}
	}
	x.extensions = sync.OnceValue(x.gatherExtensions)
	return x
}

func (p *packageIndex) build() {
	p.first = make(map[protoreflect.FullName]protoreflect.FileDescriptor)
	for _, fd := range p.files {
		eachTopLevel(fd, func(name protoreflect.FullName) {
			switch first := p.first[name]; {
			case first == nil:
				p.first[name] = fd
			case p.several[name] == nil:
				if p.several == nil {
					p.several = make(map[protoreflect.FullName][]protoreflect.FileDescriptor)
				}
				p.several[name] = []protoreflect.FileDescriptor{first, fd}
			default:
				p.several[name] = append(p.several[name], fd)
			}
		})
	}
	p.extensions = sync.OnceValue(func() (all []protoreflect.ExtensionDescriptor) {
		for _, fd := range p.files {
			EachExtension(fd, func(x protoreflect.ExtensionDescriptor) { all = append(all, x) })
		}
		return all
	})
}

// eachTopLevel calls visit with each name that a file declares outside of messages and services.
func eachTopLevel(fd protoreflect.FileDescriptor, visit func(protoreflect.FullName)) {
	for i := range fd.Services().Len() {
		visit(fd.Services().Get(i).FullName())
	}
	for i := range fd.Messages().Len() {
		visit(fd.Messages().Get(i).FullName())
	}
	for i := range fd.Enums().Len() {
		e := fd.Enums().Get(i)
		visit(e.FullName())
		for j := range e.Values().Len() {
			visit(e.Values().Get(j).FullName())
		}
	}
	for i := range fd.Extensions().Len() {
		visit(fd.Extensions().Get(i).FullName())
	}
}

// File returns the file with an import path, or nil.
func (x *Index) File(path string) protoreflect.FileDescriptor {
	if x == nil {
		return nil
	}
	return x.byPath[path]
}

// Find returns the declaration with a full name, or nil.
func (x *Index) Find(name protoreflect.FullName) protoreflect.Descriptor {
	if x == nil {
		return nil
	}
	for pkg := name.Parent(); ; pkg = pkg.Parent() {
		if p := x.packages[pkg]; p != nil {
			if d := p.find(pkg, name); d != nil {
				return d
			}
		}
		if pkg == "" {
			return nil
		}
	}
}

func (p *packageIndex) find(pkg, name protoreflect.FullName) protoreflect.Descriptor {
	start := 0
	if pkg != "" {
		start = len(pkg) + 1
	}
	top := name
	if end := strings.IndexByte(string(name[start:]), '.'); end >= 0 {
		top = name[:start+end]
	}
	fd := p.first[top]
	if fd == nil {
		return nil
	}
	if d := Find(fd, name); d != nil {
		return d
	}
	for _, fd := range p.several[top] {
		if d := Find(fd, name); d != nil {
			return d
		}
	}
	return nil
}

// Extension returns the extension of a message with a field number, or nil.
func (x *Index) Extension(message protoreflect.FullName, number protoreflect.FieldNumber) protoreflect.ExtensionDescriptor {
	list := x.Extensions(message)
	i, ok := slices.BinarySearchFunc(list, number, func(d protoreflect.ExtensionDescriptor, n protoreflect.FieldNumber) int {
		return cmp.Compare(d.Number(), n)
	})
	if !ok {
		return nil
	}
	return list[i]
}

// Extensions returns the extensions of a message, one for each field number, sorted by it.
func (x *Index) Extensions(message protoreflect.FullName) []protoreflect.ExtensionDescriptor {
	if x == nil {
		return nil
	}
	return x.extensions()[message]
}

// gatherExtensions groups the extensions by the message that they extend.
func (x *Index) gatherExtensions() map[protoreflect.FullName][]protoreflect.ExtensionDescriptor {
	found := make(map[protoreflect.FullName][]protoreflect.ExtensionDescriptor)
	for _, p := range x.packages {
		for _, d := range p.extensions() {
			of := d.ContainingMessage().FullName()
			found[of] = append(found[of], d)
		}
	}
	for of, list := range found {
		slices.SortStableFunc(list, func(a, b protoreflect.ExtensionDescriptor) int {
			return cmp.Or(cmp.Compare(a.Number(), b.Number()), strings.Compare(a.ParentFile().Path(), b.ParentFile().Path()))
		})
		found[of] = slices.CompactFunc(list, func(a, b protoreflect.ExtensionDescriptor) bool { return a.Number() == b.Number() })
	}
	return found
}
