package handlers

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/schematest"
)

// testMethod makes a method pkg.Service/Method, whose messages have a name.
func testMethod(path string, client, server bool) *Method {
	service, method, _ := strings.Cut(path, "/")
	full := protoreflect.FullName(service)
	stream := map[bool]string{true: "stream "}
	s := schematest.Compile(map[string]string{"test.proto": fmt.Sprintf(
		`syntax = "proto3"; package %s; message Msg { string name = 1; } service %s { rpc %s(%sMsg) returns (%sMsg); }`,
		full.Parent(), full.Name(), method, stream[client], stream[server])})
	return &Method{MethodDescriptor: s.Services()[0].Desc.Methods().Get(0), Types: s.Services()[0].File.Types()}
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
