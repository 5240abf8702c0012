package schema_test

import (
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/internal/schema"
)

func TestTypes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "dep.proto"), "syntax = \"proto2\";\npackage dep;\nmessage Base { extensions 10 to 20; message In {} }\nextend Base { optional int32 n = 11; }\n")
	write(t, filepath.Join(dir, "a.proto"), "syntax = \"proto2\";\npackage a;\nimport \"dep.proto\";\nimport \"google/protobuf/any.proto\";\nmessage M { optional google.protobuf.Any any = 1; extend dep.Base { optional string s = 10; } enum E { E0 = 0; } }\n")
	write(t, filepath.Join(dir, "z.proto"), "syntax = \"proto2\";\npackage z;\nmessage Z {}\n")
	types := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}})).File("a.proto").Types()
	for _, name := range []string{"a.M", "dep.Base", "dep.Base.In", "google.protobuf.Any", "google.rpc.ErrorInfo", "google.protobuf.Duration"} {
		mt, err := types.FindMessageByURL("type.googleapis.com/" + name)
		if err != nil || string(mt.Descriptor().FullName()) != name {
			t.Errorf("%s: %v", name, err)
		}
		again, _ := types.FindMessageByURL(name)
		if mt != again {
			t.Errorf("%s is not kept", name)
		}
	}
	for _, name := range []string{"z.Z", "a", "a.M.E", "a.M.any", "", "."} {
		if mt, err := types.FindMessageByURL(name); err == nil {
			t.Errorf("%q is %v", name, mt)
		}
	}
	if x, err := types.FindExtensionByName("a.M.s"); err != nil || x.TypeDescriptor().Number() != 10 {
		t.Errorf("extension by name: %v", err)
	}
	if x, err := types.FindExtensionByNumber("dep.Base", 11); err != nil || x.TypeDescriptor().FullName() != "dep.n" {
		t.Errorf("extension by number: %v", err)
	}
	mt, _ := types.FindMessageByName("a.M")
	m := dynamicpb.NewMessage(mt.Descriptor())
	opts := protojson.UnmarshalOptions{Resolver: types}
	if err := opts.Unmarshal([]byte(`{"any": {"@type": "x/dep.Base", "[a.M.s]": "v", "[dep.n]": 3}}`), m); err != nil {
		t.Error(err)
	}
}
