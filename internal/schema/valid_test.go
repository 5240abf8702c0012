package schema_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/internal/schema"
)

// TestValidForProtoc compiles files that protoc accepts but the compiler does not. If a protoc that
// accepts them is installed, it compares the descriptors.
func TestValidForProtoc(t *testing.T) {
	t.Parallel()
	const dir = "testdata/valid"
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}}))
	for _, d := range s.Errors() {
		t.Error(d)
	}
	protoc, err := exec.LookPath("protoc")
	if err != nil {
		t.Log("protoc is not installed")
		return
	}
	for _, f := range s.Files() {
		out := filepath.Join(t.TempDir(), "set.pb")
		if said, err := exec.Command(protoc, "-I"+dir, "-o"+out, f.Path()).CombinedOutput(); err != nil {
			t.Logf("this protoc refuses %s: %s", f.Path(), said)
			continue
		}
		content, err := os.ReadFile(out)
		must(t, err)
		set := new(descriptorpb.FileDescriptorSet)
		must(t, proto.Unmarshal(content, set))
		if f.Descriptor() == nil {
			continue
		}
		want, got := withOptions(t, f, set.File[0]), withOptions(t, f, protodesc.ToFileDescriptorProto(f.Descriptor()))
		if !proto.Equal(want, got) {
			t.Errorf("%s (-protoc +ours):\n%s", f.Path(), cmp.Diff(want, got, protocmp.Transform()))
		}
	}
}
