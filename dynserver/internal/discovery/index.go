package discovery

import (
	"maps"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/dyngate/dyngate/dynserver/internal/dispatch"
	"github.com/dyngate/dyngate/internal/codec/dynamic"
	"github.com/dyngate/dyngate/internal/schema"
)

// longestName bounds what a client may ask for, and so the work it costs.
const longestName = 4096

// index finds the descriptors of a generation for grpc's reflection service. A
// symbol that several unrelated files declare is looked for in the order of
// their paths; one asked for by a service or method comes from that service's
// own file, so that its imports bring its own messages.
type index struct {
	generation *dispatch.Generation
	builtin    []string // services that the server itself answers

	byPath     map[string]protoreflect.FileDescriptor
	byPackage  map[protoreflect.FullName][]protoreflect.FileDescriptor
	added      map[protoreflect.FileDescriptor]bool
	stale      map[protoreflect.FileDescriptor]*schema.File
	extensions func() map[protoreflect.FullName]map[protoreflect.FieldNumber]protoreflect.ExtensionType
}

func newIndex(g *dispatch.Generation, builtin []string) *index {
	x := &index{
		generation: g, builtin: builtin,
		byPath:    make(map[string]protoreflect.FileDescriptor),
		byPackage: make(map[protoreflect.FullName][]protoreflect.FileDescriptor),
		added:     make(map[protoreflect.FileDescriptor]bool),
		stale:     make(map[protoreflect.FileDescriptor]*schema.File),
	}
	x.extensions = sync.OnceValue(x.findExtensions)
	for _, f := range g.Snapshot.Files() {
		if fd := f.Descriptor(); fd != nil {
			x.add(fd)
		}
	}
	for _, s := range g.Services {
		if len(s.Stale) > 0 { // its files are no longer in the snapshot
			x.stale[s.File.Descriptor()] = s.File
			x.add(s.File.Descriptor())
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

// source implements sources.
func (x *index) source(fd protoreflect.FileDescriptor) *schema.File {
	if f := x.generation.Snapshot.File(fd.Path()); f != nil && f.Descriptor() == fd {
		return f
	}
	return x.stale[fd]
}

// GetServiceInfo implements reflection.ServiceInfoProvider; only names count.
func (x *index) GetServiceInfo() map[string]grpc.ServiceInfo {
	info := make(map[string]grpc.ServiceInfo, len(x.generation.Services)+len(x.builtin))
	for _, s := range x.generation.Services {
		info[string(s.Desc.FullName())] = grpc.ServiceInfo{}
	}
	for _, name := range x.builtin {
		info[name] = grpc.ServiceInfo{}
	}
	return info
}

// FindFileByPath implements protodesc.Resolver.
func (x *index) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	if fd := x.byPath[path]; fd != nil {
		return sources(x.source).commented(fd), nil
	}
	return shippedFile(protoregistry.GlobalFiles.FindFileByPath(path))
}

// FindDescriptorByName implements protodesc.Resolver.
func (x *index) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if len(name) > longestName || !name.IsValid() {
		return nil, protoregistry.NotFound
	}
	if slices.Contains(x.builtin, string(name)) || slices.Contains(x.builtin, string(name.Parent())) {
		return protoregistry.GlobalFiles.FindDescriptorByName(name)
	}
	for _, service := range []protoreflect.FullName{name, name.Parent()} {
		s := x.generation.Service(service)
		if s == nil {
			continue
		}
		if d := schema.Find(s.File.Descriptor(), name); d != nil {
			return located{d, x.source}, nil
		}
	}
	for pkg := name.Parent(); ; pkg = pkg.Parent() {
		for _, fd := range x.byPackage[pkg] {
			if d := schema.Find(fd, name); d != nil {
				return located{d, x.source}, nil
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

func (x *index) findExtensions() map[protoreflect.FullName]map[protoreflect.FieldNumber]protoreflect.ExtensionType {
	found := make(map[protoreflect.FullName]map[protoreflect.FieldNumber]protoreflect.ExtensionType)
	types := new(dynamic.Types)
	for _, path := range slices.Sorted(maps.Keys(x.byPath)) { // the first of two is the same each time
		schema.EachExtension(x.byPath[path], func(d protoreflect.ExtensionDescriptor) {
			of := d.ContainingMessage().FullName()
			if found[of] == nil {
				found[of] = make(map[protoreflect.FieldNumber]protoreflect.ExtensionType)
			}
			if found[of][d.Number()] == nil {
				found[of][d.Number()] = extension{types.Extension(d), x.source}
			}
		})
	}
	return found
}

// FindExtensionByName implements protoregistry.ExtensionTypeResolver.
func (x *index) FindExtensionByName(name protoreflect.FullName) (protoreflect.ExtensionType, error) {
	d, err := x.FindDescriptorByName(name)
	if err != nil {
		return nil, err
	}
	if l, ok := d.(located); ok {
		d = l.Descriptor
	}
	if xd, ok := d.(protoreflect.ExtensionDescriptor); ok && xd.IsExtension() {
		return x.FindExtensionByNumber(xd.ContainingMessage().FullName(), xd.Number())
	}
	return nil, protoregistry.NotFound
}

// FindExtensionByNumber implements protoregistry.ExtensionTypeResolver.
func (x *index) FindExtensionByNumber(message protoreflect.FullName, number protoreflect.FieldNumber) (protoreflect.ExtensionType, error) {
	if xt := x.extensions()[message][number]; xt != nil {
		return xt, nil
	}
	return nil, protoregistry.NotFound
}

// RangeExtensionsByMessage implements reflection.ExtensionResolver.
func (x *index) RangeExtensionsByMessage(message protoreflect.FullName, f func(protoreflect.ExtensionType) bool) {
	for _, xt := range x.extensions()[message] {
		if !f(xt) {
			return
		}
	}
}
