package discovery

import (
	"context"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/internal/schema"
)

// longestName bounds what a client may ask for, and so the work it costs.
const longestName = 4096

// index finds the descriptors of a generation: those of its snapshot, then those that only its services have.
// A service or a method comes from that service's own file, so that its imports bring its own messages.
type index struct {
	generation *dispatch.Generation
	own        map[protoreflect.FullName]bool // services that the server itself answers

	// The files of services that the snapshot does not have: older versions, of stale services, and files
	// of the program, such as those of the server's own services.
	others map[protoreflect.FileDescriptor]*schema.File
	added  *schema.Index // of them and of what they import
}

func newIndex(g *dispatch.Generation) *index {
	x := &index{
		generation: g, own: make(map[protoreflect.FullName]bool),
		others: make(map[protoreflect.FileDescriptor]*schema.File),
	}
	for _, s := range g.Own() {
		x.own[s.Desc.FullName()] = true
	}
	var others []*schema.File
	for _, s := range slices.Concat(g.Services, g.Own()) {
		fd := s.File.Descriptor()
		if f := g.Snapshot.File(fd.Path()); (f == nil || f.Descriptor() != fd) && x.others[fd] == nil {
			x.others[fd] = s.File
			others = append(others, s.File)
		}
	}
	x.added = schema.NewIndex(others)
	return x
}

// encode encodes a file, with comments if it is one that the server has read.
func (x *index) encode(ctx context.Context, fd protoreflect.FileDescriptor) ([]byte, error) {
	if f := x.generation.Snapshot.File(fd.Path()); f != nil && f.Descriptor() == fd {
		return f.Encode(ctx)
	}
	if f := x.others[fd]; f != nil {
		return f.Encode(ctx)
	}
	return schema.BuiltIn(fd).Encode(ctx)
}

// file finds a file by its path.
func (x *index) file(path string) (protoreflect.FileDescriptor, error) {
	if f := x.generation.Snapshot.File(path); f != nil && f.Descriptor() != nil {
		return f.Descriptor(), nil
	}
	if fd := x.added.File(path); fd != nil {
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
	if d, _ := x.generation.Snapshot.Find(name); d != nil {
		return d, nil
	}
	if d := x.added.Find(name); d != nil {
		return d, nil
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

// shippedFile returns only those files of the running program that any client may ask
// for: those of the packages that ship with dyngate.
func shippedFile(fd protoreflect.FileDescriptor, err error) (protoreflect.FileDescriptor, error) {
	if err != nil {
		return nil, err
	}
	if schema.Ships(string(fd.Package())) {
		return fd, nil
	}
	return nil, protoregistry.NotFound
}

// fileOfExtension finds the file that declares the extension of a message with a number.
func (x *index) fileOfExtension(message protoreflect.FullName, number protoreflect.FieldNumber) (protoreflect.FileDescriptor, error) {
	if d := x.generation.Snapshot.Extension(message, number); d != nil {
		return d.ParentFile(), nil
	}
	if d := x.added.Extension(message, number); d != nil {
		return d.ParentFile(), nil
	}
	return nil, protoregistry.NotFound
}

// extensionNumbers returns the numbers of all extensions of a message, sorted.
func (x *index) extensionNumbers(message protoreflect.FullName) ([]int32, error) {
	known := slices.Concat(x.generation.Snapshot.Extensions(message), x.added.Extensions(message))
	if len(known) == 0 {
		_, err := x.find(message)
		return nil, err
	}
	numbers := make([]int32, 0, len(known))
	for _, d := range known {
		numbers = append(numbers, int32(d.Number()))
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), nil
}
