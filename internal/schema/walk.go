package schema

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// walker finds the .proto files below a root, and their companions. It follows links, and skips hidden files and
// folders.
type walker struct {
	ctx  context.Context
	fsys fs.FS

	companions string // the suffix of other files that are wanted; empty for none

	folders int // entered

	// Each may be nil.
	dir    func(dir string)                                               // a folder is entered
	file   func(p string, isLink bool, info fs.FileInfo, err error) error // info is that of a link's target
	broken func(dir string, err error)                                    // a folder cannot be read
}

// walk reads a folder. above holds the folders that contain it, to detect cycles of links.
func (w *walker) walk(dir string, above []fs.FileInfo) error {
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	if w.folders++; w.folders > maxFolders {
		return fmt.Errorf("more than %d folders; do links form a cycle?", maxFolders)
	}
	here, err := fs.Stat(w.fsys, dir)
	var entries []fs.DirEntry
	if err == nil {
		if slices.ContainsFunc(above, func(a fs.FileInfo) bool { return os.SameFile(a, here) }) {
			return nil
		}
		if w.dir != nil {
			w.dir(dir)
		}
		entries, err = fs.ReadDir(w.fsys, dir)
	}
	switch {
	case err != nil && dir == ".":
		return err
	case errors.Is(err, fs.ErrNotExist): // removed during the walk
		return nil
	case err != nil:
		if w.broken != nil {
			w.broken(dir, err)
		}
		return nil
	}
	above = append(above[:len(above):len(above)], here)
	for _, entry := range entries {
		if err := w.entry(dir, entry, above); err != nil {
			return err
		}
	}
	return nil
}

// Limits on the depth and number of folders, which links can multiply.
const (
	maxDepth   = 100
	maxFolders = 200_000
)

func (w *walker) entry(dir string, entry fs.DirEntry, above []fs.FileInfo) error {
	if strings.HasPrefix(entry.Name(), ".") {
		// Hidden: .git, and the folders behind the links of a Kubernetes ConfigMap.
		return nil
	}
	p := path.Join(dir, entry.Name())
	isDir, isLink := entry.IsDir(), entry.Type()&fs.ModeSymlink != 0
	isWanted := strings.HasSuffix(entry.Name(), ".proto") || isCompanion(entry.Name(), w.companions)
	var info fs.FileInfo
	var err error
	if isLink || isWanted && !isDir {
		if info, err = fs.Stat(w.fsys, p); err == nil {
			isDir = info.IsDir()
		}
	}
	switch {
	case isDir && len(above) < maxDepth:
		return w.walk(p, above)
	case isDir || !isWanted || w.file == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist) && !isLink: // removed during the walk
		return nil
	}
	return w.file(p, isLink, info, err)
}
