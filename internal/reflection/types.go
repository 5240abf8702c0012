package reflection

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// foreignTypes returns the full names of the types that a file uses but does
// not declare.
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

// typeWalk collects the types that a file declares and uses, each with a
// leading dot.
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
