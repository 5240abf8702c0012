package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Source is one entry of the search path.
type Source struct {
	path string // on disk; empty for an embedded one
	name string
	fsys fs.FS
}

// Path is a folder (an import root), a single .proto file, or a descriptor set (.binpb, .pb, .desc,
// .protoset, as text .json or .txtpb, each also with .gz; a buf image is one too). Its kind is
// determined each time it is read, so it may appear, or change its kind, later.
//
// All .proto files below a folder are served, except in hidden folders. For a
// single .proto file, only that file is served; its imports are looked up in
// its folder. All files of a descriptor set are served, except those that a buf
// image marks as imports.
func Path(path string) Source { return Source{path: path, name: path} }

// FS is an import root that is not on disk, such as an embedded folder. Diagnostics call
// it name. If fsys has a method Changed() <-chan struct{}, it is used as a watch.Signal.
func FS(name string, fsys fs.FS) Source { return Source{name: name, fsys: fsys} }

// String returns the name of the source for diagnostics.
func (s Source) String() string { return s.name }

// Options configure a Compiler. Only Sources is needed.
type Options struct {
	// Sources are in order of precedence, like protoc's -I: the first that has an
	// import path is used. Files that ship with dyngate, in the folder wellknown, come
	// last.
	Sources []Source

	// Companions is the suffix of other files that are read from folders and file systems,
	// ".yaml" for example: see Snapshot.Companions. Default: none.
	Companions string

	// DropComments removes comments from the result of
	// File.DescriptorWithComments.
	DropComments bool

	Limits Limits

	// Progress, if not nil, is called during Compile, by several goroutines at once: while files are
	// read, with their number so far and a total of 0; then with the number of compiled files and the
	// total.
	Progress func(done, total int)
}

func (o Options) withDefaults() Options {
	o.Limits = o.Limits.withDefaults()
	o.Sources = slices.Clone(o.Sources)
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	return o
}

// kind returns the current kind of a source. An error means that the source
// cannot be read at all.
func (s Source) kind() (sourceKind, error) {
	if s.fsys != nil {
		return kindFS, nil
	}
	if s.path == "" {
		return 0, errors.New("the path of a source is empty")
	}
	info, err := os.Stat(s.path)
	if err != nil {
		return 0, err
	}
	ext, zipped := setExtension(s.path)
	switch {
	case info.IsDir():
		return kindFolder, nil
	case ext == ".proto" && !zipped:
		return kindFile, nil
	case slices.Contains(setExtensions, ext):
		return kindSet, nil
	}
	return 0, fmt.Errorf("%s is neither a folder, nor a .proto file, nor a descriptor set (%s, each also with .gz)",
		s.path, strings.Join(setExtensions, ", "))
}

type sourceKind int

const (
	kindFolder sourceKind = 1 + iota
	kindFile
	kindSet
	kindFS
)

// open returns a reader of a source of this kind. companions is Options.Companions.
func (s Source) open(kind sourceKind, companions string) reader {
	switch kind {
	case kindFolder:
		return &tree{label: s.name, prefix: s.path, fsys: os.DirFS(s.path), companions: companions}
	case kindFile:
		dir := filepath.Dir(s.path)
		return &tree{label: dir, prefix: dir, fsys: os.DirFS(dir), only: filepath.Base(s.path)}
	case kindSet:
		return &set{path: s.path}
	default:
		return &tree{label: s.name, prefix: s.name, fsys: s.fsys, companions: companions}
	}
}
