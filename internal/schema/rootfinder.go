package schema

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits on the search for missing imports in one Compile.
const (
	searchLevels  = 2      // levels above a source whose folders are listed
	lookupLevels  = 4      // levels above a source where files are looked up
	searchDepth   = 8      // levels below a source, or below a folder above it
	searchEntries = 20_000 // directory entries to read
	searchLookups = 50_000 // files to look up
	searchTime    = 2 * time.Second
)

// rootFinder finds the folders to serve for missing imports. Usually the served folder is one level
// too high or too low. It searches in the folders of the sources, and in and below some levels of
// folders above them, except the user's home, the folder for temporary files, the root of the file
// system, and all folders above these. It reads nothing until an import is missing.
type rootFinder struct {
	sources []Source

	mu      sync.Mutex
	until   time.Time // zero until the search begins
	entries int       // read so far
	lookups int
	seen    map[string]bool // absolute paths
	roots   []foundRoot     // to search
}

// foundRoot is a folder that may be the import root of a missing import.
type foundRoot struct {
	abs  string
	from searchStart
}

// searchStart is the folder of a source.
type searchStart struct{ given, abs string }

// find returns the path of a file with an import path and the root to serve for it, both as the
// user writes paths. If the root is above or below a source, it also returns the source that the
// root should replace. All are empty if no file is found.
func (r *rootFinder) find(path string) (file, root, instead string) {
	if importPathProblem(path) != "" {
		return "", "", ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until.IsZero() {
		r.until = time.Now().Add(searchTime)
		r.list()
	}
	for i, c := range r.roots {
		if r.lookups++; r.lookups > searchLookups || time.Now().After(r.until) {
			break
		}
		info, err := os.Stat(filepath.Join(c.abs, filepath.FromSlash(path)))
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		// The next missing import is likely to be below the same root.
		copy(r.roots[1:i+1], r.roots[:i])
		r.roots[0] = c
		root = c.name()
		if isBelow(c.abs, c.from.abs) || isBelow(c.from.abs, c.abs) {
			instead = c.from.given
		}
		return filepath.Join(root, filepath.FromSlash(path)), root, instead
	}
	return "", "", ""
}

// name returns the folder's path as the user writes paths: relative if that of
// the source is.
func (c foundRoot) name() string {
	rel, err := filepath.Rel(c.from.abs, c.abs)
	if err != nil || filepath.IsAbs(c.from.given) {
		return c.abs
	}
	return filepath.Join(c.from.given, rel)
}

func isBelow(dir, of string) bool { return strings.HasPrefix(dir, of+string(filepath.Separator)) }

// list lists the folders to search, the most likely first.
func (r *rootFinder) list() {
	r.seen = make(map[string]bool)
	var starts []searchStart
	for _, s := range r.sources {
		dir := s.path
		switch kind, _ := s.kind(); kind {
		case kindFile:
			dir = filepath.Dir(s.path)
		case kindFolder:
		default:
			continue
		}
		if abs, err := filepath.Abs(dir); err == nil {
			starts = append(starts, searchStart{dir, abs})
			r.seen[abs] = true // already searched
		}
	}
	for _, s := range starts {
		r.listBelow(s, s.abs)
	}
	for level := 1; level <= lookupLevels; level++ {
		for _, s := range starts {
			dir, ok := folderAbove(s.abs, level)
			if ok {
				r.add(s, dir)
			}
			if ok && level <= searchLevels {
				r.listBelow(s, dir)
			}
		}
	}
}

// folderAbove returns the folder some levels above dir, unless it must not be searched.
func folderAbove(dir string, levels int) (string, bool) {
	home, _ := os.UserHomeDir()
	for range levels {
		dir = filepath.Dir(dir)
		if dir == filepath.Dir(dir) || dir == filepath.Clean(os.TempDir()) || home != "" && (dir == home || isBelow(home, dir)) {
			return "", false
		}
	}
	return dir, true
}

func (r *rootFinder) add(from searchStart, dir string) bool {
	if r.seen[dir] {
		return false
	}
	r.seen[dir] = true
	r.roots = append(r.roots, foundRoot{dir, from})
	return true
}

// listBelow adds the folders below dir, the nearest first.
func (r *rootFinder) listBelow(from searchStart, dir string) {
	level := []string{dir}
	for depth := 0; depth < searchDepth && len(level) > 0; depth++ {
		var next []string
		for _, dir := range level {
			for _, name := range r.folders(dir) {
				if sub := filepath.Join(dir, name); r.add(from, sub) {
					next = append(next, sub)
				}
			}
		}
		level = next
	}
}

// folders returns the names of the folders in a folder, sorted, without hidden ones. It does not
// follow links.
func (r *rootFinder) folders(dir string) (names []string) {
	if r.entries >= searchEntries || time.Now().After(r.until) {
		return nil
	}
	f, err := os.Open(dir) //nolint:gosec // a folder that is listed
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	for r.entries < searchEntries {
		list, err := f.ReadDir(min(1000, searchEntries-r.entries))
		r.entries += len(list)
		for _, e := range list {
			if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
				names = append(names, e.Name())
			}
		}
		if err != nil { // io.EOF at its end
			break
		}
	}
	slices.Sort(names)
	return names
}
