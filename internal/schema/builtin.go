package schema

import (
	"context"
	"io/fs"
	"sync"

	"github.com/bufbuild/protocompile/wellknownimports"

	"github.com/dyngate/dyngate/internal/schema/wellknown"
)

// descriptorPath is the file that defines the language. Every file depends on
// it, and the compiler relies on its shape, so the one that ships always wins.
const descriptorPath = "google/protobuf/descriptor.proto"

const builtinLabel = "<built-in>"

// newBuiltin returns the reader of the files that ship with dyngate.
func newBuiltin() *tree {
	return &tree{label: builtinLabel, prefix: builtinLabel, fsys: builtinFS{}, lazy: true, frozen: true}
}

// builtinFS is google/protobuf as the compiler has it, and all else from our own folder.
type builtinFS struct{}

func (builtinFS) Open(name string) (fs.File, error) {
	if f, err := wellknown.FS.Open(name); err == nil {
		return f, nil
	}
	return wellknownimports.FS().Open(name)
}

// Shipped returns the files that ship with dyngate, linked. They are compiled
// when it is first called.
var Shipped = sync.OnceValue(func() *Snapshot {
	c := New(Options{Sources: []Source{FS(builtinLabel, wellknown.FS)}})
	s, err := c.Compile(context.Background())
	if err != nil {
		return new(Snapshot) // an embedded folder can be read: this does not happen
	}
	return s
})
