package schema

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bufbuild/protocompile/experimental/source"
)

// tree reads an import root: a folder on disk, an embedded one, or the folder of a single file.
type tree struct {
	label  string // the root in diagnostics
	prefix string // what to put before an import path to name a file
	fsys   fs.FS
	only   string // serve this file alone, and find others when they are asked for
	lazy   bool   // serve nothing, find all when asked for
	frozen bool   // contents never change

	lim    limits
	files  map[string]*input // found, by import path
	before map[string]*input // found by the last refresh
	own    []*input
	wrong  []*Diagnostic
}

func (t *tree) name() string            { return t.label }
func (t *tree) served() []*input        { return t.own }
func (t *tree) problems() []*Diagnostic { return t.wrong }

func (t *tree) refresh(ctx context.Context, lim limits) error {
	t.lim, t.wrong, t.own = lim, nil, nil
	t.before, t.files = t.files, make(map[string]*input, len(t.files))
	switch {
	case t.lazy:
		return nil
	case t.only != "":
		if in := t.open(t.only); in != nil {
			t.own = []*input{in}
			return nil
		}
		return &fs.PathError{Op: "open", Path: t.locate(t.only), Err: fs.ErrNotExist}
	}
	w := walker{tree: t, ctx: ctx}
	if err := w.walk(".", nil); err != nil {
		return err
	}
	slices.SortFunc(t.own, func(a, b *input) int { return strings.Compare(a.path, b.path) })
	return nil
}

func (t *tree) open(p string) *input {
	if in, ok := t.files[p]; ok || (t.only == "" && !t.lazy) {
		return in
	}
	if !fs.ValidPath(p) {
		return nil
	}
	info, err := fs.Stat(t.fsys, p)
	if err != nil && !errors.Is(err, fs.ErrPermission) || info != nil && info.IsDir() {
		t.files[p] = nil
		return nil
	}
	in := t.read(p, info, err)
	t.files[p] = in
	return in
}

func (t *tree) locate(p string) string {
	return filepath.Join(t.prefix, filepath.FromSlash(p))
}

// read returns the file as it is now: the input known before if nothing changed.
func (t *tree) read(p string, info fs.FileInfo, err error) *input {
	old := t.before[p]
	if err == nil && old != nil && (t.frozen || old.stat.unchanged(info)) {
		return old
	}
	in := &input{path: p, location: t.locate(p), builtin: t.frozen, stat: stat{info: info, read: time.Now()}}
	text := ""
	if err == nil {
		text, err = t.content(p, info)
	}
	if err != nil {
		in.problem = problem(in.location, "cannot be read: %v", cause(err))
	} else {
		in.text = source.NewFile(in.location, text)
	}
	if in.sameContent(old) {
		old.stat = in.stat
		return old
	}
	return in
}

func (t *tree) content(p string, info fs.FileInfo) (string, error) {
	if !info.Mode().IsRegular() {
		return "", errors.New("it is not a regular file")
	}
	f, err := t.fsys.Open(p)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var buf bytes.Buffer
	buf.Grow(int(min(info.Size(), t.lim.fileSize)) + bytes.MinRead)
	n, err := io.Copy(&buf, io.LimitReader(f, t.lim.fileSize+1))
	if err == nil && n > t.lim.fileSize {
		err = fmt.Errorf("it is larger than %d bytes", t.lim.fileSize)
	}
	return buf.String(), err
}

// cause leaves out the path, which a diagnostic names anyway.
func cause(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// walker finds the files below a root.
type walker struct {
	*tree
	ctx context.Context
}

// walk reads a folder. Above are the folders that lead to it, to notice links that go round.
func (w *walker) walk(dir string, above []fs.FileInfo) error {
	if err := w.ctx.Err(); err != nil {
		return context.Cause(w.ctx)
	}
	here, err := fs.Stat(w.fsys, dir)
	var entries []fs.DirEntry
	if err == nil {
		if slices.ContainsFunc(above, func(a fs.FileInfo) bool { return os.SameFile(a, here) }) {
			return nil
		}
		entries, err = fs.ReadDir(w.fsys, dir)
	}
	switch {
	case err != nil && dir == ".":
		return err
	case errors.Is(err, fs.ErrNotExist): // went while we looked
		return nil
	case err != nil:
		w.wrong = append(w.wrong, problem(w.locate(dir), "the folder cannot be read: %v", cause(err)))
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

// maxDepth bounds how deep folders are followed.
const maxDepth = 100

func (w *walker) entry(dir string, entry fs.DirEntry, above []fs.FileInfo) error {
	if strings.HasPrefix(entry.Name(), ".") {
		// Hidden: .git, and the folders behind a Kubernetes ConfigMap's links.
		return nil
	}
	p := path.Join(dir, entry.Name())
	isDir := entry.IsDir()
	isProto := strings.HasSuffix(entry.Name(), ".proto")
	var info fs.FileInfo
	var err error
	if isProto && !isDir || entry.Type()&fs.ModeSymlink != 0 {
		// This follows links.
		if info, err = fs.Stat(w.fsys, p); err == nil {
			isDir = info.IsDir()
		}
	}
	switch {
	case isDir && len(above) < maxDepth:
		return w.walk(p, above)
	case isDir || !isProto:
		return nil
	case errors.Is(err, fs.ErrNotExist) && entry.Type()&fs.ModeSymlink == 0: // went while we looked
		return nil
	}
	return w.file(p, info, err)
}

func (w *walker) file(p string, info fs.FileInfo, err error) error {
	if why := importPathProblem(p); why != "" {
		w.wrong = append(w.wrong, problem(w.locate(p), "this file is left out: %s", why))
		return nil
	}
	if len(w.own) >= w.lim.files {
		return fmt.Errorf("%s holds more than %d .proto files; name a smaller folder", w.label, w.lim.files)
	}
	in := w.read(p, info, err)
	w.files[p] = in
	w.own = append(w.own, in)
	return nil
}
