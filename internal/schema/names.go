package schema

import "google.golang.org/protobuf/types/descriptorpb"

// NameBytes returns the total length of the full names that a file declares. Each repeats the names
// around it, so a small file may take gigabytes when it is linked.
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

// enumNames also counts the values, whose names are in the enum's scope.
func enumNames(scope int, enums []*descriptorpb.EnumDescriptorProto) (total int) {
	for _, e := range enums {
		total += scope*(1+len(e.GetValue())) + len(e.GetName())
	}
	return total
}
