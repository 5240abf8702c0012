package schema

import (
	"context"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bufbuild/protocompile/experimental/source"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/safetext"
)

// reader reads one source. It is used by one Compile at a time.
type reader interface {
	// refresh reads changes. It returns an error only if the source cannot be read at all.
	refresh(ctx context.Context, lim Limits) error
	// served returns the source's own files, sorted by import path.
	served() []*input
	// beside returns the companions of the source's own files, sorted by path.
	beside() []*input
	// open returns the file with an import path, or nil.
	open(path string) *input
	// problems returns the problems of the source itself.
	problems() []*diag.Diagnostic
	// name returns the name of the source for diagnostics.
	name() string
}

// input is one version of one file. Readers return the same pointer as long as
// the content does not change, so comparing pointers compares contents.
type input struct {
	path     string // import path
	location string // as the user wrote it

	// One of these is set.
	text    *source.File
	proto   *descriptorpb.FileDescriptorProto // from a descriptor set
	problem *diag.Diagnostic                  // it cannot be read

	set     string    // its descriptor set; empty if none
	changed time.Time // when this content was first read; zero if that was the first read of the source
	builtin bool      // ships with dyngate
	size    int       // bytes
	stat    stat
}

// sameContent reports whether other is the same file with the same content.
func (in *input) sameContent(other *input) bool {
	if other == nil || in.path != other.path || in.location != other.location {
		return false
	}
	switch {
	case in.text != nil && other.text != nil:
		return in.text.Text() == other.text.Text()
	case in.problem != nil && other.problem != nil:
		return in.problem.Message == other.problem.Message
	}
	return false
}

// stat detects changes of a file.
type stat struct {
	info fs.FileInfo
	read time.Time // when info was read
}

// settled is the age after which an unchanged modification time proves that a
// file did not change. File systems round times, so two writes in quick
// succession may have the same time.
const settled = 2 * time.Second

// unchanged reports whether now proves that the file has not changed.
func (s stat) unchanged(now fs.FileInfo) bool {
	if s.info == nil || s.info.ModTime().IsZero() || s.read.Sub(s.info.ModTime()) < settled {
		return false
	}
	if s.info.Size() != now.Size() || !s.info.ModTime().Equal(now.ModTime()) {
		return false
	}
	// Another inode under the same name is another file, whatever its time. Only the
	// operating system's file systems have inodes.
	return s.info.Sys() == nil || os.SameFile(s.info, now)
}

// importPathProblem returns the reason why a file's name cannot be an import
// path; empty if it can.
func importPathProblem(p string) string {
	switch {
	case p == "":
		return "its name is empty"
	case !utf8.ValidString(p):
		return "its name is not valid UTF-8"
	case strings.ContainsRune(p, '\\'):
		return "its name holds a backslash, which no import can name"
	case !safetext.IsClean(p):
		return "its name holds a control character"
	case strings.HasPrefix(p, "/") || path.Clean(p) != p || p == ".." || strings.HasPrefix(p, "../"):
		return "its name is not a clean relative path"
	}
	return ""
}
