package reflection

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/schema"
)

// imports links the imports of a file and fills in those that the server lacks.
func (l *linker) imports(f *File, fd *descriptorpb.FileDescriptorProto, seen *scope) error {
	var lost []string
	for _, path := range fd.GetDependency() {
		found, err := l.addImport(f, path, seen)
		if err != nil {
			return err
		}
		if !found {
			lost = append(lost, path)
		}
	}
	for _, path := range fd.GetOptionDependency() {
		if _, err := l.addImport(f, path, seen); err != nil && l.ctx.Err() != nil {
			return err // ignore others: only options need the file
		}
	}
	uses := foreignTypes(fd)
	if len(lost) > 0 {
		if err := l.replace(f, lost, uses, seen); err != nil {
			return err
		}
	}
	l.addWellKnown(f, uses, seen)
	return nil
}

// addImport adds an import of f to seen. It reports whether the import exists.
func (l *linker) addImport(f *File, path string, seen *scope) (bool, error) {
	if to := l.imported(f, path); to != nil {
		if err := l.link(to); err != nil {
			return false, err
		}
		f.link.depth = max(f.link.depth, to.link.depth+1)
		seen.add(to.link.desc)
		return true, nil
	}
	if err := l.missing[path]; err != nil {
		return false, err
	}
	if to := shipped(path).File(path); to != nil && to.Descriptor() != nil {
		seen.add(to.Descriptor())
		return true, nil
	}
	return false, nil
}

// replace replaces imports that the server lacks by the files that declare the
// types that f uses but does not see. The server may have the files under other
// paths, for example a Go server whose files were compiled from several roots.
// An import whose types are not used is dropped; files import it only for
// custom options.
func (l *linker) replace(f *File, lost []string, uses []protoreflect.FullName, seen *scope) error {
	var paths []string
	for _, name := range uses {
		if _, err := seen.FindDescriptorByName(name); err == nil {
			continue
		}
		to := l.symbols[name]
		if to == nil && wellKnownFile(name) != nil {
			continue // addWellKnown finds it
		}
		if to == nil || to == f {
			return fmt.Errorf("the server does not have %s, which %s imports", lost[0], f.path)
		}
		if err := l.link(to); err != nil {
			return err
		}
		f.link.depth = max(f.link.depth, to.link.depth+1)
		if seen.byPath[to.path] == nil {
			seen.add(to.link.desc)
			paths = append(paths, to.path)
		}
		if _, err := seen.FindDescriptorByName(name); err != nil {
			return fmt.Errorf("the server does not have %s, which %s imports", lost[0], f.path)
		}
	}
	f.link.replace = make(map[string][]string, len(lost))
	for _, path := range lost {
		f.link.replace[path] = paths
		paths = nil
	}
	return nil
}

// addWellKnown adds imports of google/protobuf that a file needs but does not
// list: some servers leave them out.
func (l *linker) addWellKnown(f *File, uses []protoreflect.FullName, seen *scope) {
	for _, name := range uses {
		if _, err := seen.FindDescriptorByName(name); err == nil {
			continue
		}
		fd := wellKnownFile(name)
		if fd == nil || fd.Path() == f.path {
			continue
		}
		if found, err := l.addImport(f, fd.Path(), seen); err == nil && found {
			f.link.add = append(f.link.add, fd.Path())
		}
	}
}

// wellKnownFile returns the program's google/protobuf file that declares a
// name; nil if there is none.
func wellKnownFile(name protoreflect.FullName) protoreflect.FileDescriptor {
	if !strings.HasPrefix(string(name), "google.protobuf.") {
		return nil
	}
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		return nil
	}
	return d.ParentFile()
}

// apply writes the replaced and added imports into a file.
func (n *link) apply(fd *descriptorpb.FileDescriptorProto) {
	if len(n.replace) == 0 && len(n.add) == 0 {
		return
	}
	var imports []string
	var public []int32
	for i, path := range fd.GetDependency() {
		paths, lost := n.replace[path]
		if !lost {
			paths = []string{path}
		}
		for _, path := range paths {
			if slices.Contains(fd.GetPublicDependency(), int32(i)) { //nolint:gosec // an index
				public = append(public, int32(len(imports))) //nolint:gosec // an index
			}
			imports = append(imports, path)
		}
	}
	fd.Dependency, fd.PublicDependency, fd.WeakDependency = slices.Concat(imports, n.add), public, nil
}

// askTypes requests the files of the types that f uses, if the server lacks an
// import of f that does not ship with dyngate.
func (op *operation) askTypes(f *File, depth int) error {
	for _, name := range op.reader.typesToAsk(f) {
		if err := op.askOnce(&question{kind: fileOfSymbol, name: string(name), from: f, depth: depth}); err != nil {
			return err
		}
	}
	return nil
}

// typesToAsk returns the types that f uses and that were not requested yet;
// none if no import of f is missing.
func (r *Reader) typesToAsk(f *File) []protoreflect.FullName {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.typesAsked || !slices.ContainsFunc(f.imports, r.store.lacks) {
		return nil
	}
	f.typesAsked = true
	content, _ := split(f.raw)
	if n, ok := countFields(content, fileDescriptor, maxNesting); !ok || n > r.limits.Declarations/8 {
		return nil // linking reports it
	}
	fd, err := unmarshal(content)
	if err != nil {
		return nil // linking reports it
	}
	return slices.DeleteFunc(foreignTypes(fd), func(name protoreflect.FullName) bool {
		_, asked := r.store.symbols[name]
		return asked || len(name) > r.limits.NameBytes || wellKnownFile(name) != nil
	})
}

// lacks reports whether neither the server nor dyngate has the file with a
// path.
func (s *store) lacks(path string) bool {
	err, missing := s.missing[path]
	return missing && err == nil && shipped(path).File(path) == nil
}

// shipped returns the files that ship with dyngate if path may be one of
// theirs; nil otherwise, because compiling them takes a tenth of a second.
func shipped(path string) *schema.Snapshot {
	if schema.Ships(path) {
		return schema.Shipped()
	}
	return new(schema.Snapshot)
}
