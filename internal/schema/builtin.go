package schema

import (
	"context"
	"io/fs"
	"regexp"
	"strings"
	"sync"

	"github.com/bufbuild/protocompile/wellknownimports"
	"google.golang.org/protobuf/reflect/protoreflect"

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

// builtinFS holds google/protobuf of the compiler, and our own folder for everything else.
type builtinFS struct{}

func (builtinFS) Open(name string) (fs.File, error) {
	if f, err := wellknown.FS.Open(name); err == nil {
		return f, nil
	}
	return wellknownimports.FS().Open(name)
}

var packageLine = regexp.MustCompile(`(?m)^package\s+([\w.]+)\s*;`)

// shippedPackages returns the packages of the files that ship with dyngate.
var shippedPackages = sync.OnceValue(func() map[protoreflect.FullName]bool {
	packages := make(map[protoreflect.FullName]bool)
	for _, fsys := range []fs.FS{wellknown.FS, wellknownimports.FS()} {
		_ = fs.WalkDir(fsys, ".", func(path string, entry fs.DirEntry, _ error) error {
			if entry == nil || entry.IsDir() {
				return nil
			}
			content, _ := fs.ReadFile(fsys, path) // embedded files can be read
			if m := packageLine.FindSubmatch(content); m != nil {
				packages[protoreflect.FullName(m[1])] = true
			}
			return nil
		})
	}
	return packages
})

// Ships reports whether the file with an import path ships with dyngate, or whether a full name belongs to a package of
// such a file. It compiles nothing.
func Ships(nameOrPath string) bool {
	for name := protoreflect.FullName(nameOrPath); name != ""; name = name.Parent() {
		if shippedPackages()[name] {
			return true
		}
	}
	f, err := builtinFS{}.Open(nameOrPath)
	if err != nil {
		return false
	}
	_ = f.Close()
	return strings.HasSuffix(nameOrPath, ".proto")
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
