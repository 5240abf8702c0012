package handlers

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// testMethod makes a method pkg.Service/Method whose messages are both md, or
// empty when md is nil.
func testMethod(t testing.TB, path string, client, server bool) *Method {
	t.Helper()
	service, method, _ := strings.Cut(path, "/")
	full := protoreflect.FullName(service)
	fd, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("test.proto"), Syntax: proto.String("proto3"), Package: proto.String(string(full.Parent())),
		MessageType: []*descriptorpb.DescriptorProto{{
			Name: proto.String("Msg"),
			Field: []*descriptorpb.FieldDescriptorProto{{
				Name: proto.String("name"), Number: proto.Int32(1),
				Type:  descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(),
				Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
			}},
		}},
		Service: []*descriptorpb.ServiceDescriptorProto{{
			Name: proto.String(string(full.Name())),
			Method: []*descriptorpb.MethodDescriptorProto{{
				Name: proto.String(method), InputType: proto.String("Msg"), OutputType: proto.String("Msg"),
				ClientStreaming: proto.Bool(client), ServerStreaming: proto.Bool(server),
			}},
		}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Method{MethodDescriptor: fd.Services().Get(0).Methods().Get(0)}
}

var nothing = ImplementationFunc(func(*Method) (Handler, error) { return nil, nil })

func TestRegistryReportsAllMistakes(t *testing.T) {
	reg := NewRegistry()
	reg.Handle("pkg.Service/Method", nothing)
	reg.Handle("/pkg.Service/Method", nothing)
	reg.Handle("pkg.**", nothing)
	reg.Handle("pkg.**", nothing)
	reg.Handle("pkg**", nothing)
	reg.Handle("pkg.Service/", nothing)
	reg.Handle("pkg.Service/a/b", nothing)
	reg.Handle("", nothing)
	reg.Handle("pkg.Other", nil)
	err := reg.Err()
	if err == nil {
		t.Fatal("Err() = nil")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{
		`"pkg.Service/Method" is registered twice: here and at registry_test.go:`,
		`"pkg.**" is registered twice: here and at registry_test.go:`,
		`pattern "pkg**": ** stands for whole name parts`,
		`pattern "pkg.Service/" is none of`,
		`pattern "pkg.Service/a/b" is none of`,
		`pattern "" is none of`,
		`nil implementation for "pkg.Other"`,
	} {
		if i >= len(lines) || !strings.Contains(lines[i], want) || !strings.HasPrefix(lines[i], "registry_test.go:") {
			t.Errorf("line %d of the error is not about %s:\n%s", i, want, err)
		}
	}
	if len(lines) != 7 {
		t.Errorf("%d lines, want 7:\n%s", len(lines), err)
	}
}
