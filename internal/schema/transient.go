package schema

import (
	"errors"
	"io/fs"

	"github.com/dyngate/dyngate/handlers/diag"
)

// IsTransient reports whether Compile failed because it could not read a file or folder. Such an
// error may disappear by itself: too many open files, a folder that is missing for a moment, a
// permission.
func IsTransient(err error) bool {
	return errors.As(err, new(*fs.PathError))
}

// unread returns an error about a file or folder that could not be read.
func unread(err error, path, format string, args ...any) *diag.Diagnostic {
	d := problem(path, format, args...)
	d.Transient = IsTransient(err)
	return d
}
