package schema

import (
	"errors"
	"io/fs"
)

// Passing reports whether an error of Compile is one of reading, which may pass by itself: too many open
// files, a folder that is away for a moment, a permission.
func Passing(err error) bool {
	return errors.As(err, new(*fs.PathError))
}

// Passing reports whether the diagnostic is about something that could not be read, and so may pass by itself.
func (d *Diagnostic) Passing() bool { return d.passing }

// unread is the problem of something that could not be read.
func unread(err error, path, format string, args ...any) *Diagnostic {
	d := problem(path, format, args...)
	d.passing = Passing(err)
	return d
}
