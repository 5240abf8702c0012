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
	// refresh looks for changes. It returns an error only if the source cannot be read at all.
	refresh(ctx context.Context, lim Limits) error
	// served returns the source's own files, sorted by import path.
	served() []*input
	// open returns the file with an import path, or nil.
	open(path string) *input
	// problems returns what is wrong with the source itself.
	problems() []*diag.Diagnostic
	// name returns the source as diagnostics name it.
	name() string
}

// input is one version of one file. Readers return the same pointer as
// before while the content is the same, so comparing pointers compares contents.
type input struct {
	path     string // import path
	location string // as the user names it

	// One of these is set.
	text    *source.File
	proto   *descriptorpb.FileDescriptorProto // from a descriptor set
	problem *diag.Diagnostic                  // it cannot be read

	set     string    // the descriptor set that it is from, empty if none
	changed time.Time // when this content was first seen, zero if that was when the source was first read
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

// stat shows whether a file was changed.
type stat struct {
	info fs.FileInfo
	read time.Time // when it was looked at
}

// settled is how old a modification time must be before an unchanged one proves
// that a file did not change: file systems stamp files in steps, and two writes
// within one step look alike.
const settled = 2 * time.Second

// unchanged reports whether now proves that the file is the one seen before.
func (s stat) unchanged(now fs.FileInfo) bool {
	if s.info == nil || s.info.ModTime().IsZero() || s.read.Sub(s.info.ModTime()) < settled {
		return false
	}
	if s.info.Size() != now.Size() || !s.info.ModTime().Equal(now.ModTime()) {
		return false
	}
	// Another inode under the same name is another file, whatever its time. File systems
	// that are not the operating system's have no inodes.
	return s.info.Sys() == nil || os.SameFile(s.info, now)
}

// importPathProblem says why a file's name cannot be an import path, or "".
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
