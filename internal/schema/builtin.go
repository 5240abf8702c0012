package schema

import (
	"io/fs"

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
