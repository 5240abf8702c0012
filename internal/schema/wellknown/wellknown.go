// Package wellknown holds the .proto files that schemas import so often that
// they ship with dyngate. README.md says where each comes from.
package wellknown

import (
	"embed"
	"io/fs"
)

//go:embed protos
var embedded embed.FS

// FS is their import root.
var FS = root()

func root() fs.FS {
	sub, err := fs.Sub(embedded, "protos")
	if err != nil {
		panic(err) // the name is a constant
	}
	return sub
}
