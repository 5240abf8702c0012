package dynclient

import (
	"path"
	"slices"
	"strings"

	"github.com/jhump/protoreflect/grpcreflect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/schema"
)

// mender stands in for files that a server imports but does not have. It is the
// reflection client's fallback: FindFileByPath is called for an import that the
// server does not know.
//
// Files that ship with dyngate are the first choice. Else the importing file's
// types are looked for by name: the server may well have the file, but under
// another path than the import names, as Go servers do whose files were compiled
// from another root. An import of which no type is used, which is what custom
// options leave, can be anything.
type mender struct {
	guard   *guard
	asked   *grpcreflect.Client
	mending map[string]bool // files that are being looked for: they may need each other
}

// maxMending bounds how deeply the search for one file may lead to that for
// another.
const maxMending = 16

// FindFileByPath implements protodesc.Resolver.
func (m *mender) FindFileByPath(file string) (protoreflect.FileDescriptor, error) {
	if f := shipped(file).File(file); f != nil && f.Descriptor() != nil {
		return f.Descriptor(), nil
	}
	if m.mending[file] || len(m.mending) >= maxMending {
		return nil, protoregistry.NotFound
	}
	m.mending[file] = true
	defer delete(m.mending, file)
	stands := &descriptorpb.FileDescriptorProto{Name: proto.String(file)}
	found := new(protoregistry.Files)
	for _, importer := range m.guard.files {
		if !slices.Contains(importer.imports, file) {
			continue
		}
		for _, name := range importer.types {
			if err := m.add(stands, found, importer, name); err != nil {
				return nil, err
			}
		}
	}
	return protodesc.NewFile(stands, found)
}

// add makes what declares a type importable through the file that stands in,
// unless the importer has another import for it.
func (m *mender) add(stands *descriptorpb.FileDescriptorProto, found *protoregistry.Files, importer fileUse, name protoreflect.FullName) error {
	file, err := m.asked.FileContainingSymbol(string(name))
	if err != nil {
		return protoregistry.NotFound
	}
	fd := file.UnwrapFile()
	if slices.Contains(importer.imports, fd.Path()) || slices.Contains(stands.GetDependency(), fd.Path()) {
		return nil
	}
	stands.PublicDependency = append(stands.PublicDependency, int32(len(stands.GetDependency()))) //nolint:gosec // an index
	stands.Dependency = append(stands.Dependency, fd.Path())
	if found.RegisterFile(fd) != nil {
		return protoregistry.NotFound // it clashes with another: there is no way to have both
	}
	return nil
}

// FindDescriptorByName implements protodesc.Resolver.
func (m *mender) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if d, _ := shipped(string(name)).Find(name); d != nil {
		return d, nil
	}
	return nil, protoregistry.NotFound
}

// shipped returns the files that ship with dyngate if one of them may have a name
// or path: to compile them takes a tenth of a second, and most names are others.
func shipped(name string) *schema.Snapshot {
	if schema.Ships(name) {
		return schema.Shipped()
	}
	return new(schema.Snapshot)
}

// addShippedImports adds the imports of files that ship with dyngate that a file
// uses and does not name: some servers leave them out. It reports whether there
// were any.
func addShippedImports(fd *descriptorpb.FileDescriptorProto, uses []protoreflect.FullName) (changed bool) {
	for _, name := range uses {
		if !strings.HasPrefix(string(name), "google.protobuf.") {
			continue
		}
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
		if err != nil || d.ParentFile().Path() == fd.GetName() {
			continue
		}
		file := d.ParentFile().Path()
		if slices.ContainsFunc(fd.GetDependency(), func(dep string) bool { return path.Base(dep) == path.Base(file) }) {
			continue // it has it, be it by another path
		}
		fd.Dependency = append(fd.Dependency, file)
		changed = true
	}
	return changed
}

// foreignTypes returns the full names of the types that a file uses and does not
// declare.
func foreignTypes(fd *descriptorpb.FileDescriptorProto) []protoreflect.FullName {
	w := typeWalk{own: make(map[string]bool), used: make(map[string]bool)}
	scope := "."
	if fd.GetPackage() != "" {
		scope += fd.GetPackage() + "."
	}
	w.messages(scope, fd.GetMessageType())
	w.enums(scope, fd.GetEnumType())
	w.fields(fd.GetExtension())
	for _, s := range fd.GetService() {
		for _, method := range s.GetMethod() {
			w.used[method.GetInputType()] = true
			w.used[method.GetOutputType()] = true
		}
	}
	var names []protoreflect.FullName
	for name := range w.used {
		full := protoreflect.FullName(strings.TrimPrefix(name, "."))
		if !w.own[name] && strings.HasPrefix(name, ".") && full.IsValid() {
			names = append(names, full)
		}
	}
	slices.Sort(names)
	return names
}

// typeWalk gathers the types that a file declares and uses, each with a leading
// dot.
type typeWalk struct{ own, used map[string]bool }

func (w typeWalk) messages(scope string, list []*descriptorpb.DescriptorProto) {
	for _, m := range list {
		name := scope + m.GetName()
		w.own[name] = true
		w.fields(m.GetField())
		w.fields(m.GetExtension())
		w.enums(name+".", m.GetEnumType())
		w.messages(name+".", m.GetNestedType())
	}
}

func (w typeWalk) enums(scope string, list []*descriptorpb.EnumDescriptorProto) {
	for _, e := range list {
		w.own[scope+e.GetName()] = true
	}
}

func (w typeWalk) fields(list []*descriptorpb.FieldDescriptorProto) {
	for _, f := range list {
		for _, name := range []string{f.GetTypeName(), f.GetExtendee()} {
			if name != "" {
				w.used[name] = true
			}
		}
	}
}
