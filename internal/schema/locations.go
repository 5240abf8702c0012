package schema

import (
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// locations finds source locations by the descriptors of a file.
type locations struct {
	protoreflect.SourceLocations
	file protoreflect.FileDescriptor
}

// ByDescriptor returns the location of a descriptor of the file.
func (l *locations) ByDescriptor(d protoreflect.Descriptor) protoreflect.SourceLocation {
	if d == nil || d.ParentFile() == nil || d.ParentFile().Path() != l.file.Path() {
		return protoreflect.SourceLocation{}
	}
	path, ok := sourcePath(d)
	if !ok {
		return protoreflect.SourceLocation{}
	}
	return l.ByPath(path)
}

// sourcePath returns the path of a descriptor in its FileDescriptorProto.
func sourcePath(d protoreflect.Descriptor) (protoreflect.SourcePath, bool) {
	var path protoreflect.SourcePath // backwards
	for {
		if _, ok := d.(protoreflect.FileDescriptor); ok {
			slices.Reverse(path)
			return path, true
		}
		parent := d.Parent()
		if parent == nil {
			return nil, false
		}
		number, ok := listOf(d, parent)
		if !ok {
			return nil, false
		}
		path = append(path, int32(d.Index()), number) //nolint:gosec // an index
		d = parent
	}
}

// listOf returns the number of the field of the parent's descriptor proto that lists d.
func listOf(d, parent protoreflect.Descriptor) (int32, bool) {
	_, inFile := parent.(protoreflect.FileDescriptor)
	pick := func(file, message int32) (int32, bool) {
		if inFile {
			return file, true
		}
		return message, true
	}
	switch d := d.(type) {
	case protoreflect.MessageDescriptor:
		return pick(4, 3)
	case protoreflect.EnumDescriptor:
		return pick(5, 4)
	case protoreflect.FieldDescriptor:
		if d.IsExtension() {
			return pick(7, 6)
		}
		return 2, true
	case protoreflect.OneofDescriptor:
		return 8, true
	case protoreflect.EnumValueDescriptor:
		// A value's parent is its enum, though its name is a sibling's.
		return 2, true
	case protoreflect.ServiceDescriptor:
		return 6, true
	case protoreflect.MethodDescriptor:
		return 2, true
	}
	return 0, false
}
