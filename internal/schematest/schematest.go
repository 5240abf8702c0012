// Package schematest compiles the schemas of unit tests.
package schematest

import (
	"context"
	"testing"
	"testing/fstest"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/internal/schema"
)

// Compile compiles .proto files, texts by path, as the server does. They may
// import google/protobuf, each other, and the files of more sources. It panics if a
// file has an error, so that it can initialize a variable.
func Compile(files map[string]string, more ...schema.Source) *schema.Snapshot {
	fsys := fstest.MapFS{}
	for path, text := range files {
		fsys[path] = &fstest.MapFile{Data: []byte(text)}
	}
	compiler := schema.New(schema.Options{Sources: append([]schema.Source{schema.FS("test", fsys)}, more...)})
	s, err := compiler.Compile(context.Background())
	if err != nil {
		panic(err)
	}
	for _, d := range s.Errors() {
		panic(d.Text)
	}
	return s
}

// Find returns the declaration of a name, and the file that declares it.
func Find(t testing.TB, s *schema.Snapshot, name protoreflect.FullName) (protoreflect.Descriptor, *schema.File) {
	t.Helper()
	d, f := s.Find(name)
	if d == nil {
		t.Fatalf("the schema does not declare %s", name)
	}
	return d, f
}

// Message returns the message of a name.
func Message(t testing.TB, s *schema.Snapshot, name protoreflect.FullName) protoreflect.MessageDescriptor {
	t.Helper()
	d, _ := Find(t, s, name)
	md, ok := d.(protoreflect.MessageDescriptor)
	if !ok {
		t.Fatalf("%s is not a message", name)
	}
	return md
}
