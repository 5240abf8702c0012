package schema

import "google.golang.org/protobuf/types/descriptorpb"

// NameBytes adds up the full names of what a file declares: each repeats those around it, so that a
// small file may take gigabytes once it is linked.
func NameBytes(fd *descriptorpb.FileDescriptorProto) int {
	scope := len(fd.GetPackage())
	total := scope*len(fd.GetExtension()) + enumNames(scope, fd.GetEnumType()) + messageNames(scope, fd.GetMessageType())
	for _, s := range fd.GetService() {
		total += scope + (scope+len(s.GetName()))*(len(s.GetMethod())+1)
	}
	return total
}

func messageNames(scope int, messages []*descriptorpb.DescriptorProto) (total int) {
	for _, m := range messages {
		name := scope + 1 + len(m.GetName())
		total += name*(1+len(m.GetField())+len(m.GetExtension())+len(m.GetOneofDecl())) +
			enumNames(name, m.GetEnumType()) + messageNames(name, m.GetNestedType())
	}
	return total
}

// enumNames counts the values as well, whose names stand beside that of the enum.
func enumNames(scope int, enums []*descriptorpb.EnumDescriptorProto) (total int) {
	for _, e := range enums {
		total += scope*(1+len(e.GetValue())) + len(e.GetName())
	}
	return total
}
