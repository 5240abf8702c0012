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

// TestAgainstProtoc compares descriptors with those of protoc, for a tenth of googleapis.
func TestAgainstProtoc(t *testing.T) {
	dir := googleapis(t)
	protoc, err := exec.LookPath("protoc")
	if err != nil {
		t.Skip("protoc is not installed")
	}
	s := compile(t, schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}}))
	out := filepath.Join(t.TempDir(), "set.pb")
	args := []string{"-I" + dir, "-o" + out}
	for i := 0; i < len(s.Files()); i += 10 {
		args = append(args, s.Files()[i].Path())
	}
	if said, err := exec.Command(protoc, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %.1000s", err, said)
	}
	content, err := os.ReadFile(out)
	must(t, err)
	set := new(descriptorpb.FileDescriptorSet)
	must(t, proto.Unmarshal(content, set))
	for _, fd := range set.File {
		f := s.File(fd.GetName())
		want, got := withOptions(t, f, fd), withOptions(t, f, protodesc.ToFileDescriptorProto(f.Descriptor()))
		if !proto.Equal(want, got) {
			t.Errorf("%s (-protoc +ours):\n%.2000s", fd.GetName(), cmp.Diff(want, got, protocmp.Transform()))
		}
	}
	t.Logf("compared %d files", len(set.File))
}

// withOptions parses the custom options, whose bytes may be in any order.
func withOptions(t testing.TB, f *schema.File, fd *descriptorpb.FileDescriptorProto) *descriptorpb.FileDescriptorProto {
	t.Helper()
	content, err := proto.Marshal(fd)
	must(t, err)
	out := new(descriptorpb.FileDescriptorProto)
	must(t, proto.UnmarshalOptions{Resolver: f.Types()}.Unmarshal(content, out))
	return out
}
