package schema

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// places are the folders to watch, and what in them matters.
type places struct {
	dirs  map[string]placeKind
	files map[string]bool // files that matter whatever their extension: sets, and targets of links
	roots []string        // the sources' own folders that exist
	paths []string        // the sources' paths, absolute

	partial bool // folders are there that cannot be read now

	// For each source that is a single file, the imports that were looked for beside it:
	// only compiling tells, so they may be others after the next Compile.
	beside [][]string
}

type placeKind int

const (
	above  placeKind = 1 + iota // leads to a source: matters only if the way to it changes
	within                      // holds schemas
)

// places finds them.
func (c *Compiler) places() *places {
	p := &places{dirs: make(map[string]placeKind), files: make(map[string]bool)}
	p.beside = c.beside()
	for i, s := range c.opts.Sources {
		if s.path == "" {
			continue
		}
		root, err := filepath.Abs(s.path)
		if err != nil {
			root = filepath.Clean(s.path)
		}
		p.paths = append(p.paths, root)
		p.addWayTo(root)
		switch kind, _ := s.kind(); kind {
		case kindFS:
		case kindFolder:
			p.addFolder(root)
		case kindFile, kindSet:
			p.addFile(root)
			for _, name := range p.beside[i] {
				p.addFile(filepath.Join(filepath.Dir(root), filepath.FromSlash(name)))
			}
		}
	}
	return p
}

// beside returns the imports that were looked for beside single files, sorted, by source.
func (c *Compiler) beside() [][]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([][]string, len(c.readers))
	for i, r := range c.readers {
		if t, ok := r.(*tree); ok && t.only != "" {
			out[i] = slices.Sorted(maps.Keys(t.files))
		}
	}
	return out
}

// addWayTo watches the nearest folder above a source that exists, to notice
// that the source comes, goes, or is replaced.
func (p *places) addWayTo(root string) {
	for dir := filepath.Dir(root); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			p.dirs[dir] = max(p.dirs[dir], above)
			return
		}
		if dir == filepath.Dir(dir) {
			return
		}
	}
}

func (p *places) addFolder(root string) {
	p.roots = append(p.roots, root)
	w := walker{
		ctx:  context.Background(),
		fsys: os.DirFS(root),
		dir:  func(dir string) { p.dirs[filepath.Join(root, filepath.FromSlash(dir))] = within },
		file: func(name string, isLink bool, _ fs.FileInfo, _ error) error {
			if isLink {
				p.addTarget(filepath.Join(root, filepath.FromSlash(name)))
			}
			return nil
		},
		broken: func(string, error) { p.partial = true },
	}
	if w.walk(".", nil) != nil {
		p.partial = true // what cannot be read cannot be watched; Compile reports it
	}
}

func (p *places) addFile(path string) {
	p.roots = append(p.roots, filepath.Dir(path))
	p.dirs[filepath.Dir(path)] = within
	p.files[path] = true
	p.addTarget(path)
}

// addTarget watches what a link points to.
func (p *places) addTarget(path string) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil || target == path {
		return
	}
	p.files[target] = true
	dir := filepath.Dir(target)
	p.dirs[dir] = max(p.dirs[dir], above)
}

// matters reports whether an event may have changed the schemas, and whether
// folders may have come or gone with it.
func (p *places) matters(event fsnotify.Event) (matters, moves bool) {
	name := filepath.Clean(event.Name)
	base := filepath.Base(name)
	for _, path := range p.paths {
		if name == path && event.Op&^(fsnotify.Write|fsnotify.Chmod) != 0 || strings.HasPrefix(path, name+string(filepath.Separator)) {
			return true, true // the source, or a folder above it
		}
	}
	switch {
	case p.files[name]:
		return true, false
	case p.dirs[name] != 0:
		// A watched folder itself: it came or went, or only its attributes changed.
		moved := event.Has(fsnotify.Create) || event.Has(fsnotify.Remove) || event.Has(fsnotify.Rename)
		return moved, moved
	case p.dirs[filepath.Dir(name)] != within:
		return false, false
	case strings.HasPrefix(base, ".."):
		return true, true // the link that a Kubernetes ConfigMap swaps
	case strings.HasPrefix(base, "."):
		return false, false
	case strings.HasSuffix(base, ".proto"):
		info, err := os.Lstat(name)
		plain := err != nil || info.Mode().IsRegular()
		return true, !plain
	case event.Has(fsnotify.Create):
		info, err := os.Stat(name)
		isDir := err == nil && info.IsDir()
		return isDir, isDir
	}
	return false, false
}
