package schema

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bufbuild/protocompile/experimental/source"

	"github.com/dyngate/dyngate/handlers/diag"
)

// tree reads an import root: a folder on disk, an embedded folder, or the folder of a single
// file.
type tree struct {
	label  string // the root in diagnostics
	prefix string // prefix of import paths in diagnostics
	fsys   fs.FS
	only   string // serve only this file, and find others when they are imported
	lazy   bool   // serve nothing, and find files when they are imported
	frozen bool   // contents never change

	companions string // the suffix of the companions of .proto files; empty for none

	lim    Limits
	files  map[string]*input // found, by import path
	before map[string]*input // found by the last refresh
	own    []*input
	others []*input // companions
	wrong  []*diag.Diagnostic
}

func (t *tree) name() string                 { return t.label }
func (t *tree) served() []*input             { return t.own }
func (t *tree) beside() []*input             { return t.others }
func (t *tree) problems() []*diag.Diagnostic { return t.wrong }

func (t *tree) refresh(ctx context.Context, lim Limits) error {
	t.lim, t.wrong, t.own, t.others = lim, nil, nil, nil
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
	w := walker{ctx: ctx, fsys: t.fsys, companions: t.companions, file: t.take, broken: t.unreadable}
	if err := w.walk(".", nil); err != nil {
		t.files = t.before // compared with the files when the root can be read again
		return err
	}
	for _, list := range [][]*input{t.own, t.others} {
		slices.SortFunc(list, func(a, b *input) int { return strings.Compare(a.path, b.path) })
	}
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

// read returns the current version of a file: the previous input if nothing
// changed.
func (t *tree) read(p string, info fs.FileInfo, err error) *input {
	old := t.before[p]
	if err == nil && old != nil && (t.frozen || old.problem == nil && old.stat.unchanged(info)) {
		return old
	}
	in := &input{path: p, location: t.locate(p), builtin: t.frozen, stat: stat{info: info, read: time.Now()}}
	if t.before != nil {
		in.changed = in.stat.read
	}
	text := ""
	if err == nil {
		text, err = t.content(p, info)
	}
	if err != nil {
		in.problem = unread(err, in.location, "cannot be read: %v", cause(err))
	} else {
		in.text, in.size = source.NewFile(in.location, text), len(text)
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
	defer func() { _ = f.Close() }()
	var buf bytes.Buffer
	buf.Grow(int(min(info.Size(), t.lim.FileBytes)) + bytes.MinRead)
	n, err := io.Copy(&buf, io.LimitReader(f, t.lim.FileBytes+1))
	if err == nil && n > t.lim.FileBytes {
		err = fmt.Errorf("it is larger than %d bytes", t.lim.FileBytes)
	}
	return buf.String(), err
}

// cause removes the path from an error, because diagnostics contain it.
func cause(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// take reads a file found by the walk.
func (t *tree) take(p string, _ bool, info fs.FileInfo, err error) error {
	if why := importPathProblem(p); why != "" {
		t.wrong = append(t.wrong, problem(t.locate(p), "this file is left out: %s", why))
		return nil
	}
	if len(t.own)+len(t.others) >= t.lim.Files {
		return fmt.Errorf("%s contains more than %d .proto files; use a smaller folder or raise the limit", t.label, t.lim.Files)
	}
	t.keep(t.read(p, info, err))
	return nil
}

// keep adds a file.
func (t *tree) keep(in *input) {
	t.files[in.path] = in
	if isCompanion(in.path, t.companions) {
		t.others = append(t.others, in)
	} else {
		t.own = append(t.own, in)
	}
}

// unreadable records a folder that cannot be read. It keeps the files in it, with an error, because
// they may still exist.
func (t *tree) unreadable(dir string, err error) {
	t.wrong = append(t.wrong, unread(err, t.locate(dir), "the folder cannot be read: %v", cause(err)))
	for p := range t.before {
		if strings.HasPrefix(p, dir+"/") && t.files[p] == nil {
			t.keep(t.read(p, nil, fmt.Errorf("its folder cannot be read: %w", cause(err))))
		}
	}
}
