package describe

import (
	"errors"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/codec/dynamic"
)

// excerpt makes a file that holds nothing but a service and the names of its
// types, but prints the same: the printer's work grows with the file that it prints
// from, and with all that the file imports. Of large schemas, that is nearly all of
// the work.
type excerpt struct {
	from  protoreflect.FileDescriptor
	file  *descriptorpb.FileDescriptorProto
	files map[string]*descriptorpb.FileDescriptorProto // its imports, and itself
}

var errNoExcerpt = errors.New("there is no excerpt")

// excerptOf returns a service with its comments in an excerpt of its file.
func excerptOf(name protoreflect.FullName, from protoreflect.FileDescriptor) (protoreflect.ServiceDescriptor, error) {
	sd := from.Services().ByName(name.Name())
	if sd == nil || sd.FullName() != name {
		return nil, errNoExcerpt
	}
	x := &excerpt{from: from, file: newFile(from)}
	x.files = map[string]*descriptorpb.FileDescriptorProto{from.Path(): x.file}
	service := protodesc.ToServiceDescriptorProto(sd)
	x.file.Service = []*descriptorpb.ServiceDescriptorProto{service}
	visible := visibleFiles(from)
	x.options(service.GetOptions(), visible)
	for i, m := range service.GetMethod() {
		x.options(m.GetOptions(), visible)
		method := sd.Methods().Get(i)
		if err := errors.Join(x.declare(method.Input()), x.declare(method.Output())); err != nil {
			return nil, err
		}
	}
	x.comments(int32(sd.Index())) //nolint:gosec // an index
	fd, err := x.link()
	if err != nil {
		return nil, err
	}
	return fd.Services().Get(0), nil
}

func newFile(like protoreflect.FileDescriptor) *descriptorpb.FileDescriptorProto {
	return &descriptorpb.FileDescriptorProto{
		Name: proto.String(like.Path()), Package: proto.String(string(like.Package())), Syntax: proto.String("proto3"),
	}
}

// importing returns the excerpt's version of a file.
func (x *excerpt) importing(fd protoreflect.FileDescriptor) *descriptorpb.FileDescriptorProto {
	file := x.files[fd.Path()]
	if file == nil {
		file = newFile(fd)
		x.files[fd.Path()] = file
		x.file.Dependency = append(x.file.Dependency, fd.Path())
	}
	return file
}

// declare adds an empty message of the name of a type.
func (x *excerpt) declare(md protoreflect.MessageDescriptor) error {
	if md.IsPlaceholder() {
		return errNoExcerpt
	}
	fd := md.ParentFile()
	names := strings.TrimPrefix(strings.TrimPrefix(string(md.FullName()), string(fd.Package())), ".")
	list := &x.importing(fd).MessageType
	for name := range strings.SplitSeq(names, ".") {
		var m *descriptorpb.DescriptorProto
		for _, known := range *list {
			if known.GetName() == name {
				m = known
			}
		}
		if m == nil {
			m = &descriptorpb.DescriptorProto{Name: proto.String(name)}
			*list = append(*list, m)
		}
		list = &m.NestedType
	}
	return nil
}

// options parses options with the extensions that the file sees, also those inside
// of options, and imports the files that declare custom options: others are not
// printed.
func (x *excerpt) options(options proto.Message, visible map[string]protoreflect.FileDescriptor) {
	m := options.ProtoReflect()
	if !m.IsValid() {
		return
	}
	parsed := m.New().Interface()
	content, err := proto.Marshal(options)
	if err == nil && (proto.UnmarshalOptions{Resolver: extensions(visible)}).Unmarshal(content, parsed) == nil {
		proto.Reset(options)
		proto.Merge(options, parsed)
	}
	m.Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if file := visible[fd.ParentFile().Path()]; fd.IsExtension() && file != nil {
			x.importing(file)
		}
		return true
	})
}

// comments takes over the positions and comments of the service that had an index.
func (x *excerpt) comments(index int32) {
	all := x.from.SourceLocations()
	info := new(descriptorpb.SourceCodeInfo)
	for i := range all.Len() {
		at := all.Get(i)
		if len(at.Path) < 2 || at.Path[0] != 6 || at.Path[1] != index {
			continue
		}
		path := append([]int32{6, 0}, at.Path[2:]...)
		span := []int32{int32(at.StartLine), int32(at.StartColumn), int32(at.EndLine), int32(at.EndColumn)} //nolint:gosec // they were int32
		info.Location = append(info.Location, &descriptorpb.SourceCodeInfo_Location{
			Path: path, Span: span, LeadingDetachedComments: at.LeadingDetachedComments,
			LeadingComments: optional(at.LeadingComments), TrailingComments: optional(at.TrailingComments),
		})
	}
	x.file.SourceCodeInfo = info
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (x *excerpt) link() (protoreflect.FileDescriptor, error) {
	imports := new(protoregistry.Files)
	for _, path := range x.file.GetDependency() {
		fd, err := protodesc.NewFile(x.files[path], nil)
		if err != nil {
			return nil, err
		}
		if err := imports.RegisterFile(fd); err != nil {
			return nil, err
		}
	}
	return protodesc.NewFile(x.file, imports)
}

// visibleFiles returns a file, its imports, and what they import publicly, by path.
func visibleFiles(fd protoreflect.FileDescriptor) map[string]protoreflect.FileDescriptor {
	visible := map[string]protoreflect.FileDescriptor{fd.Path(): fd}
	var visit func(fd protoreflect.FileDescriptor, all bool)
	visit = func(fd protoreflect.FileDescriptor, all bool) {
		for i := range fd.Imports().Len() {
			if imp := fd.Imports().Get(i); (all || imp.IsPublic) && visible[imp.Path()] == nil {
				visible[imp.Path()] = imp.FileDescriptor
				visit(imp.FileDescriptor, false)
			}
		}
	}
	visit(fd, true)
	return visible
}

// extensions finds the extensions that files declare.
type extensions map[string]protoreflect.FileDescriptor

// FindExtensionByNumber implements protoregistry.ExtensionTypeResolver.
func (e extensions) FindExtensionByNumber(message protoreflect.FullName, number protoreflect.FieldNumber) (protoreflect.ExtensionType, error) {
	for _, fd := range e {
		if xd := findExtension(fd, message, number); xd != nil {
			return new(dynamic.Types).Extension(xd), nil
		}
	}
	return nil, protoregistry.NotFound
}

// FindExtensionByName implements protoregistry.ExtensionTypeResolver.
func (extensions) FindExtensionByName(protoreflect.FullName) (protoreflect.ExtensionType, error) {
	return nil, protoregistry.NotFound
}

// FindMessageByName implements protoregistry.MessageTypeResolver.
func (extensions) FindMessageByName(protoreflect.FullName) (protoreflect.MessageType, error) {
	return nil, protoregistry.NotFound
}

// FindMessageByURL implements protoregistry.MessageTypeResolver.
func (extensions) FindMessageByURL(string) (protoreflect.MessageType, error) {
	return nil, protoregistry.NotFound
}

// findExtension finds an extension of a message in a file or message; nil if there
// is none.
func findExtension(in interface {
	Messages() protoreflect.MessageDescriptors
	Extensions() protoreflect.ExtensionDescriptors
}, of protoreflect.FullName, number protoreflect.FieldNumber,
) protoreflect.ExtensionDescriptor {
	for i := range in.Extensions().Len() {
		if x := in.Extensions().Get(i); x.Number() == number && x.ContainingMessage().FullName() == of {
			return x
		}
	}
	for i := range in.Messages().Len() {
		if x := findExtension(in.Messages().Get(i), of, number); x != nil {
			return x
		}
	}
	return nil
}
