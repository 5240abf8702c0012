package discovery

import (
	"maps"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/internal/schema"
)

// longestName bounds what a client may ask for, and so the work it costs.
const longestName = 4096

// index finds the descriptors of a generation, without comments: they take more
// memory than all the rest, and are put in when a file is encoded. A
// symbol that several unrelated files declare is looked for in the order of
// their paths; one asked for by a service or method comes from that service's
// own file, so that its imports bring its own messages.
type index struct {
	generation *dispatch.Generation
	own        map[protoreflect.FullName]bool // services that the server itself answers

	byPath     map[string]protoreflect.FileDescriptor
	byPackage  map[protoreflect.FullName][]protoreflect.FileDescriptor
	added      map[protoreflect.FileDescriptor]bool
	others     map[protoreflect.FileDescriptor]*schema.File // of services that are not in the snapshot
	extensions func() map[protoreflect.FullName]map[protoreflect.FieldNumber]protoreflect.ExtensionDescriptor
}

func newIndex(g *dispatch.Generation) *index {
	x := &index{
		generation: g, own: make(map[protoreflect.FullName]bool),
		byPath:    make(map[string]protoreflect.FileDescriptor),
		byPackage: make(map[protoreflect.FullName][]protoreflect.FileDescriptor),
		added:     make(map[protoreflect.FileDescriptor]bool),
		others:    make(map[protoreflect.FileDescriptor]*schema.File),
	}
	x.extensions = sync.OnceValue(x.findExtensions)
	for _, s := range g.Own() {
		x.own[s.Desc.FullName()] = true
	}
	for _, f := range g.Snapshot.Files() {
		if fd := f.Descriptor(); fd != nil {
			x.add(fd)
		}
	}
	for _, s := range g.Services {
		if fd := s.File.Descriptor(); !x.added[fd] { // it is stale, or the program declares it
			x.others[fd] = s.File
			x.add(fd)
		}
	}
	return x
}

// add adds a file and those it imports. A path belongs to the first file that
// has it; the symbols of an older version, which a stale service has, are found
// after those of the current one.
func (x *index) add(fd protoreflect.FileDescriptor) {
	if fd.IsPlaceholder() || x.added[fd] {
		return
	}
	x.added[fd] = true
	x.byPackage[fd.Package()] = append(x.byPackage[fd.Package()], fd)
	if x.byPath[fd.Path()] == nil {
		x.byPath[fd.Path()] = fd
	}
	for i := range fd.Imports().Len() {
		x.add(fd.Imports().Get(i).FileDescriptor)
	}
}

// encode encodes a file, with comments if it is one that the server has read.
func (x *index) encode(fd protoreflect.FileDescriptor) ([]byte, error) {
	if f := x.generation.Snapshot.File(fd.Path()); f != nil && f.Descriptor() == fd {
		return f.Encode()
	}
	if f := x.others[fd]; f != nil {
		return f.Encode()
	}
	return proto.Marshal(protodesc.ToFileDescriptorProto(fd))
}

// file finds a file by its path.
func (x *index) file(path string) (protoreflect.FileDescriptor, error) {
	if fd := x.byPath[path]; fd != nil {
		return fd, nil
	}
	return shippedFile(protoregistry.GlobalFiles.FindFileByPath(path))
}

// fileOf finds the file that declares a name.
func (x *index) fileOf(name protoreflect.FullName) (protoreflect.FileDescriptor, error) {
	d, err := x.find(name)
	if err != nil {
		return nil, err
	}
	return d.ParentFile(), nil
}

func (x *index) find(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if len(name) > longestName || !name.IsValid() {
		return nil, protoregistry.NotFound
	}
	if x.own[name] || x.own[name.Parent()] {
		return protoregistry.GlobalFiles.FindDescriptorByName(name)
	}
	for _, service := range []protoreflect.FullName{name, name.Parent()} {
		s := x.generation.Service(service)
		if s == nil {
			continue
		}
		if d := schema.Find(s.File.Descriptor(), name); d != nil {
			return d, nil
		}
	}
	for pkg := name.Parent(); ; pkg = pkg.Parent() {
		for _, fd := range x.byPackage[pkg] {
			if d := schema.Find(fd, name); d != nil {
				return d, nil
			}
		}
		if pkg == "" {
			break
		}
	}
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		return nil, err
	}
	if _, err := shippedFile(d.ParentFile(), nil); err != nil {
		return nil, err
	}
	return d, nil
}

// shippedFile lets through the files of the running program that any client may
// ask for: the well-known types and what the server's own services declare.
func shippedFile(fd protoreflect.FileDescriptor, err error) (protoreflect.FileDescriptor, error) {
	if err != nil {
		return nil, err
	}
	switch fd.Package() {
	case "google.protobuf", "google.rpc", "google.api", "google.type", "google.longrunning",
		"grpc.health.v1", "grpc.reflection.v1", "grpc.reflection.v1alpha", "grpc.channelz.v1":
		return fd, nil
	}
	return nil, protoregistry.NotFound
}

func (x *index) findExtensions() map[protoreflect.FullName]map[protoreflect.FieldNumber]protoreflect.ExtensionDescriptor {
	found := make(map[protoreflect.FullName]map[protoreflect.FieldNumber]protoreflect.ExtensionDescriptor)
	for _, path := range slices.Sorted(maps.Keys(x.byPath)) { // the first of two is the same each time
		schema.EachExtension(x.byPath[path], func(d protoreflect.ExtensionDescriptor) {
			of := d.ContainingMessage().FullName()
			if found[of] == nil {
				found[of] = make(map[protoreflect.FieldNumber]protoreflect.ExtensionDescriptor)
			}
			if found[of][d.Number()] == nil {
				found[of][d.Number()] = d
			}
		})
	}
	return found
}

// fileOfExtension finds the file that declares the extension of a message with a number.
func (x *index) fileOfExtension(message protoreflect.FullName, number protoreflect.FieldNumber) (protoreflect.FileDescriptor, error) {
	if d := x.extensions()[message][number]; d != nil {
		return d.ParentFile(), nil
	}
	return nil, protoregistry.NotFound
}

// extensionNumbers returns the numbers of all extensions of a message, sorted.
func (x *index) extensionNumbers(message protoreflect.FullName) ([]int32, error) {
	known := x.extensions()[message]
	if len(known) == 0 {
		_, err := x.find(message)
		return nil, err
	}
	numbers := make([]int32, 0, len(known))
	for number := range known {
		numbers = append(numbers, int32(number))
	}
	slices.Sort(numbers)
	return numbers, nil
}
