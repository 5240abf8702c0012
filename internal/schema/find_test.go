package schema_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/schema"
)

func TestFindFindsDeclarationsOfEveryKind(t *testing.T) {
	fsys := fstest.MapFS{
		"a.proto": {Data: []byte(`syntax = "proto2"; package a.b; import "c.proto";
			service S { rpc M(Outer) returns (c.C); }
			message Outer {
				optional int32 f = 1; oneof o { int32 g = 2; } extensions 100 to 200;
				message Inner { enum E { ZERO = 0; } extend Outer { optional int32 x = 100; } }
			}
			enum Top { FIRST = 0; }`)},
		"c.proto": {Data: []byte(`syntax = "proto3"; package c; message C {}`)},
	}
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.FS("test", fsys)}}))
	for name, kind := range map[protoreflect.FullName]string{
		"a.b.S": "service", "a.b.S.M": "method", "a.b.Outer": "message", "a.b.Outer.f": "field", "a.b.Outer.o": "oneof",
		"a.b.Outer.Inner": "message", "a.b.Outer.Inner.E": "enum", "a.b.Outer.Inner.ZERO": "value", "a.b.Outer.Inner.x": "field",
		"a.b.Top": "enum", "a.b.FIRST": "value", "c.C": "message",
		"": "", "a": "", "a.b": "", "a.b.": "", "a.b.S.N": "", "a.b.S.M.X": "", "a.b.Outer.f.x": "", "b.Outer": "", ".a.b.Outer": "", "a.b..Outer": "",
	} {
		d, f := s.Find(name)
		if got := kindOf(d); got != kind {
			t.Errorf("%q is %q, want %q", name, got, kind)
		}
		if d != nil && (d.FullName() != name || f == nil || !strings.HasPrefix(f.Path(), string(name)[:1])) {
			t.Errorf("%q: found %s in %v", name, d.FullName(), f)
		}
	}
}

func kindOf(d protoreflect.Descriptor) string {
	switch d.(type) {
	case protoreflect.ServiceDescriptor:
		return "service"
	case protoreflect.MethodDescriptor:
		return "method"
	case protoreflect.MessageDescriptor:
		return "message"
	case protoreflect.EnumDescriptor:
		return "enum"
	case protoreflect.EnumValueDescriptor:
		return "value"
	case protoreflect.FieldDescriptor:
		return "field"
	case protoreflect.OneofDescriptor:
		return "oneof"
	}
	return ""
}

func TestShippedFilesAreGood(t *testing.T) {
	for _, path := range []string{
		"google/api/annotations.proto", "google/rpc/status.proto", "google/type/money.proto", "google/longrunning/operations.proto",
		"google/protobuf/timestamp.proto", "google/protobuf/any.proto", "buf/validate/validate.proto", "protoc-gen-openapiv2/options/annotations.proto",
	} {
		if f := schema.Shipped().File(path); f == nil || f.Descriptor() == nil {
			t.Errorf("%s is not there", path)
		}
	}
	if errs := schema.Shipped().Errors(); len(errs) > 0 {
		t.Error(errs)
	}
}
