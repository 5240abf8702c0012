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
// it, and the compiler relies on its content, so the one that ships always
// takes precedence.
const descriptorPath = "google/protobuf/descriptor.proto"

const builtinLabel = "<built-in>"

// newBuiltin returns a reader of the files that ship with dyngate.
func newBuiltin() *tree {
	return &tree{label: builtinLabel, prefix: builtinLabel, fsys: builtinFS{}, lazy: true, frozen: true}
}

// builtinFS combines the compiler's google/protobuf with the folder of all other files
// that ship.
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
			content, _ := fs.ReadFile(fsys, path) // cannot fail: the files are embedded
			if m := packageLine.FindSubmatch(content); m != nil {
				packages[protoreflect.FullName(m[1])] = true
			}
			return nil
		})
	}
	return packages
})

// Ships reports whether nameOrPath is the import path of a file that ships with dyngate, or a full
// name in a package of such a file. It compiles nothing.
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

// Shipped returns the files that ship with dyngate, linked. The first call
// compiles them.
var Shipped = sync.OnceValue(func() *Snapshot {
	c := New(Options{Sources: []Source{FS(builtinLabel, wellknown.FS)}})
	s, err := c.Compile(context.Background())
	if err != nil {
		return new(Snapshot) // cannot happen: the folder is embedded
	}
	return s
})
