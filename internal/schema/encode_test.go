package schema_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/schema"
)

// sameEncoded checks that the encoding of a file equals its descriptor with comments.
func sameEncoded(t *testing.T, f *schema.File) {
	t.Helper()
	want := protodesc.ToFileDescriptorProto(f.DescriptorWithComments())
	content, err := f.Encode(t.Context())
	must(t, err)
	got := new(descriptorpb.FileDescriptorProto)
	must(t, proto.Unmarshal(content, got))
	if info := got.GetSourceCodeInfo(); info != nil { // the compiler notes unused imports there
		proto.RangeExtensions(info, func(xt protoreflect.ExtensionType, _ any) bool {
			proto.ClearExtension(info, xt)
			return true
		})
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("%s: %s", f.Path(), diff)
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range rich {
		write(t, filepath.Join(dir, name), text)
	}
	write(t, filepath.Join(dir, "options.proto"), "edition = \"2024\";\npackage o;\nimport public \"other.proto\";\nimport option \"two.proto\";\n// M has comments.\nmessage M {}\n")
	write(t, filepath.Join(dir, "other.proto"), "edition = \"2024\";\n")
	write(t, filepath.Join(dir, "broken.proto"), "message {")
	fromText := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}}))
	var paths []string
	for _, f := range fromText.Files() {
		if f.Descriptor() == nil {
			if content, err := f.Encode(t.Context()); content != nil || err != nil {
				t.Errorf("a broken file is encoded as %q, %v", content, err)
			}
			continue
		}
		paths = append(paths, f.Path())
		sameEncoded(t, f)
	}
	if len(paths) != len(rich)+2 {
		t.Errorf("files %v, errors %v", paths, fromText.Errors())
	}
	set := filepath.Join(t.TempDir(), "set.binpb")
	writeSet(t, set, toSet(t, fromText, paths...))
	for _, drop := range []bool{false, true} {
		fromSet := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(set)}, DropComments: drop}))
		for _, path := range paths {
			sameEncoded(t, fromSet.File(path))
		}
	}
}
