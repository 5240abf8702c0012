package schema

import (
	"errors"
	"io/fs"

	"github.com/dyngate/dyngate/handlers/diag"
)

// Passing reports whether Compile failed because it could not read something. Such an error may go away by itself: too
// many open files, a folder that is missing for a moment, a permission.
func Passing(err error) bool {
	return errors.As(err, new(*fs.PathError))
}

// unread makes an error about something that could not be read.
func unread(err error, path, format string, args ...any) *diag.Diagnostic {
	d := problem(path, format, args...)
	d.Transient = Passing(err)
	return d
}
