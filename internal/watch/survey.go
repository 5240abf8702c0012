package watch

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// survey finds the folders and files to watch for roots, and computes a hash of
// their state. All of its paths are absolute and without links, so that each
// folder has one name.
type survey struct {
	ctx     context.Context
	limit   int                    // of folders
	enter   func(dir string) error // called before a folder is read; may be nil
	folders int
	err     error // the first, which ends the survey

	// dirs are the folders to watch, with the suffixes of the files that matter. A
	// folder that only leads to others has no suffixes.
	dirs  map[string][]string
	files map[string]bool // files that matter whatever their names are
	ways  map[string]bool // folders and links on the path to a root or a link's target

	partial bool // some folders cannot be read now
	swapped bool // a path contains a link that Kubernetes swaps

	hash  hash.Hash // of the state of all files and folders
	start time.Time
	fresh bool // a file changed so recently that its time proves nothing
}

func newSurvey(ctx context.Context, limit int) *survey {
	return &survey{
		ctx: ctx, limit: limit, hash: sha256.New(), start: time.Now(),
		dirs: make(map[string][]string), files: make(map[string]bool), ways: make(map[string]bool),
	}
}

// run visits all roots. After an error, the survey is incomplete.
func (s *survey) run(roots []Root) error {
	for _, r := range roots {
		path, err := filepath.Abs(r.Path)
		if err != nil {
			path = filepath.Clean(r.Path)
		}
		fmt.Fprintf(s.hash, "%q %q\n", path, r.Suffix)
		if to, ok := s.follow(path); ok {
			s.visit(to, r.Suffix, true)
		}
		if s.err != nil {
			return s.err
		}
	}
	return nil
}

// visit visits the file or folder of a root or a link.
func (s *survey) visit(path, suffix string, selected bool) {
	info, err := os.Lstat(path)
	switch {
	case err == nil && info.IsDir():
		s.folder(path, suffix)
	case selected:
		s.files[path] = true
		s.file(path, info, err)
	}
}

func (s *survey) folder(dir, suffix string) {
	if slices.Contains(s.dirs[dir], suffix) || !s.watch(dir) {
		return
	}
	s.dirs[dir] = append(s.dirs[dir], suffix)
	entries, err := os.ReadDir(dir)
	if err != nil {
		fmt.Fprintf(s.hash, "%q: %v\n", dir, err)
		s.partial = s.partial || !errors.Is(err, fs.ErrNotExist)
	}
	for _, entry := range entries {
		if s.err != nil {
			return
		}
		path := filepath.Join(dir, entry.Name())
		selected := strings.HasSuffix(path, suffix)
		switch {
		case isHidden(path):
		case entry.IsDir():
			s.folder(path, suffix)
		case entry.Type()&fs.ModeSymlink != 0:
			if to, ok := s.follow(path); ok {
				s.visit(to, suffix, selected)
			}
		case selected:
			info, err := entry.Info()
			s.file(path, info, err)
		}
	}
}

// watch adds a folder. It reports false if the survey has ended.
func (s *survey) watch(dir string) bool {
	if _, known := s.dirs[dir]; known || s.err != nil {
		return s.err == nil
	}
	s.dirs[dir] = nil
	s.folders++
	switch {
	case s.ctx.Err() != nil:
		s.err = context.Cause(s.ctx)
	case s.folders > s.limit:
		s.err = fmt.Errorf("there are more than %d folders", s.limit)
	case s.enter != nil:
		s.err = s.enter(dir)
	}
	return s.err == nil
}

// file adds the state of a file to the hash.
func (s *survey) file(path string, info fs.FileInfo, err error) {
	if err != nil {
		fmt.Fprintf(s.hash, "%q: %v\n", path, err)
		return
	}
	fmt.Fprintf(s.hash, "%q %d %d %d %d\n", path, info.Size(), info.ModTime().UnixNano(), info.Mode(), inode(info))
	s.fresh = s.fresh || s.start.Sub(info.ModTime()) < coarse
}

// coarse is the age after which an unchanged modification time proves that a
// file did not change. File systems round times, so two writes in quick
// succession may have the same time.
const coarse = 2 * time.Second

// maxLinks limits the length of a chain of links.
const maxLinks = 100

// follow resolves the links in a path. It watches the folders whose changes
// could change the result: those of all links, and that of the target or, if it
// does not exist, the nearest existing folder above. It reports false if there
// is no target.
func (s *survey) follow(path string) (to string, ok bool) {
	for range maxLinks {
		if s.err != nil {
			return "", false
		}
		next, link, err := s.step(path)
		switch {
		case err != nil:
			fmt.Fprintf(s.hash, "%q: %v\n", path, err)
			s.partial = s.partial || errors.Is(err, fs.ErrPermission)
			return "", false
		case !link:
			return path, s.watch(filepath.Dir(path))
		}
		path = next
	}
	return "", false // a cycle of links
}

// step replaces the first link in a path with its target.
func (s *survey) step(path string) (next string, link bool, err error) {
	at := filepath.VolumeName(path) + string(filepath.Separator)
	names := strings.Split(strings.TrimPrefix(path, at), string(filepath.Separator))
	for i, name := range names {
		if name == "" { // the path is the root of the file system
			continue
		}
		here := filepath.Join(at, name)
		s.ways[here] = true
		info, err := os.Lstat(here)
		if errors.Is(err, fs.ErrNotExist) {
			s.watch(at)
			info, err = os.Lstat(here) // it may have been created before the watch
		}
		switch {
		case err != nil: // if a file blocks the path, its folder is watched
			return "", false, err
		case info.Mode()&fs.ModeSymlink == 0:
			if at = here; !info.IsDir() {
				s.watch(filepath.Dir(at))
			}
			continue
		}
		s.watch(at)
		target, err := os.Readlink(here)
		if err != nil {
			return "", false, err
		}
		s.swapped = s.swapped || name == "..data"
		fmt.Fprintf(s.hash, "%q -> %q\n", here, target)
		if !filepath.IsAbs(target) {
			target = filepath.Join(at, target)
		}
		return filepath.Join(append([]string{target}, names[i+1:]...)...), true, nil
	}
	return path, false, nil
}

// remote returns a watched folder that others can change without a
// notification; empty if there is none.
func (s *survey) remote() string {
	for dir, suffixes := range s.dirs {
		if len(suffixes) > 0 && isRemote(dir) {
			return dir
		}
	}
	for file := range s.files {
		if dir := filepath.Dir(file); isRemote(dir) {
			return dir
		}
	}
	return ""
}
