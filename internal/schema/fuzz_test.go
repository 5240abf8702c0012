package schema_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/dyngate/dyngate/internal/schema"
)

// FuzzCompile compiles random text. A file either has errors or a descriptor that can be used.
func FuzzCompile(f *testing.F) {
	for _, text := range rich {
		f.Add([]byte(text))
	}
	f.Add([]byte(good))
	f.Add([]byte("syntax = \"proto3\"; import \"good.proto\"; service X { rpc Do(good.M) returns (good.M) { option deprecated = true; } }"))
	fsys := fstest.MapFS{"good.proto": {Data: []byte(good)}, "two.proto": {Data: []byte(rich["two.proto"])}}
	// One compiler for all inputs is faster, and each is a reload of the one before.
	c := schema.New(schema.Options{Sources: []schema.Source{schema.FS("fuzz", fsys)}})
	f.Fuzz(func(t *testing.T, text []byte) {
		fsys["x.proto"] = &fstest.MapFile{Data: text}
		s := compile(t, c)
		use(t, s)
		if s.File("good.proto").Descriptor() == nil {
			t.Fatalf("the good file: %v", s.File("good.proto").Errors())
		}
	})
}

// FuzzDescriptorSet reads random bytes as a descriptor set, with source text that imports it.
func FuzzDescriptorSet(f *testing.F) {
	fsys := fstest.MapFS{}
	for name, text := range rich {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	s, err := schema.New(schema.Options{Sources: []schema.Source{schema.FS("seed", fsys)}}).Compile(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	for name := range rich {
		fd := protodesc.ToFileDescriptorProto(s.File(name).DescriptorWithComments())
		fd.Name = proto.String("x.proto")
		content, _ := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{fd}})
		f.Add(content)
	}
	importer := fstest.MapFS{
		"y.proto":    {Data: []byte("syntax = \"proto3\"; import \"x.proto\"; message Y {}")},
		"good.proto": {Data: []byte(good)},
	}
	path := filepath.Join(f.TempDir(), "set.pb")
	c := schema.New(schema.Options{Sources: []schema.Source{schema.Path(path), schema.FS("fuzz", importer)}})
	f.Fuzz(func(t *testing.T, content []byte) {
		must(t, os.WriteFile(path, content, 0o644))
		s := compile(t, c)
		use(t, s)
		if s.File("good.proto").Descriptor() == nil {
			t.Fatalf("the good file: %v", s.File("good.proto").Errors())
		}
	})
}

// use uses a snapshot like a server.
func use(t *testing.T, s *schema.Snapshot) {
	for _, d := range s.Diagnostics() {
		if d.Message == "" || d.Text == "" || d.Error() == "" {
			t.Errorf("an empty diagnostic: %+v", d)
		}
	}
	for _, f := range s.Files() {
		fd := f.Descriptor()
		if (fd == nil) != (len(f.Errors()) > 0) {
			t.Fatalf("%s: descriptor %v, errors %v", f.Path(), fd, f.Errors())
		}
		if fd == nil {
			continue
		}
		protodesc.ToFileDescriptorProto(f.DescriptorWithComments())
		for i := range fd.Messages().Len() {
			useMessage(t, f, fd.Messages().Get(i))
		}
	}
}

func useMessage(t *testing.T, f *schema.File, md protoreflect.MessageDescriptor) {
	f.Position(md)
	mt, err := f.Types().FindMessageByName(md.FullName())
	if err != nil {
		t.Fatal(err)
	}
	if md.IsMapEntry() {
		return
	}
	m := mt.New()
	for i := range md.Fields().Len() {
		fd := md.Fields().Get(i)
		m.Get(fd)
		f.Position(fd)
	}
	_, _ = proto.MarshalOptions{AllowPartial: true}.Marshal(m.Interface())
	_ = proto.Unmarshal([]byte{8, 1, 0x12, 2, 8, 1}, dynamicpb.NewMessage(md))
	for i := range md.Messages().Len() {
		useMessage(t, f, md.Messages().Get(i))
	}
}
