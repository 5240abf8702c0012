package schema

import (
	"errors"
	"io/fs"

	"github.com/dyngate/dyngate/handlers/diag"
)

// Passing reports whether an error of Compile is one of reading, which may pass by itself: too many open
// files, a folder that is away for a moment, a permission.
func Passing(err error) bool {
	return errors.As(err, new(*fs.PathError))
}

// unread is the problem of something that could not be read.
func unread(err error, path, format string, args ...any) *diag.Diagnostic {
	d := problem(path, format, args...)
	d.Transient = Passing(err)
	return d
}
