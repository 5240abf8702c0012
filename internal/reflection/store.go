package reflection

import (
	"bytes"
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// store holds the files that were read.
type store struct {
	limits                 Limits
	files                  map[string]*File                      // the first version of each path
	versions               map[string][]*File                    // all versions
	missing                map[string]error                      // paths that the server does not have, with its error if it sent one
	symbols                map[protoreflect.FullName]*File       // files of types that were requested in place of a missing file
	linked                 map[protoreflect.FileDescriptor]*File // for comments
	bytes, count, declared int
	commented              commented // the last one
	exceeded               error     // the limit that was exceeded
}

func newStore(lim Limits) store {
	return store{
		limits: lim, files: make(map[string]*File), versions: make(map[string][]*File), missing: make(map[string]error),
		symbols: make(map[protoreflect.FullName]*File), linked: make(map[protoreflect.FileDescriptor]*File),
	}
}

// current returns the version of the protocol to use.
func (r *Reader) current() version {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.version
}

func (r *Reader) setVersion(v version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.version = v
}

// known returns the file that f imports by a path; nil if it was not read.
func (r *Reader) known(f *File, path string) *File {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.store.imported(f, path)
}

func (s *store) imported(f *File, path string) *File {
	if to := f.scope[path]; to != nil {
		return to
	}
	return s.files[path]
}

func (r *Reader) isMissing(path string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, missing := r.store.missing[path]
	return missing
}

func (r *Reader) setMissing(path string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.store.missing[path] = err
}

func (r *Reader) setSymbol(name protoreflect.FullName, f *File) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.store.symbols[name] = f
}

// progress reports the number of files read.
func (r *Reader) progress() {
	r.mu.Lock()
	count := r.store.count
	r.mu.Unlock()
	if r.opts.Progress != nil && count > 0 {
		r.opts.Progress(count)
	}
}

// exceed makes all later operations fail.
func (r *Reader) exceed(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.store.exceed(err)
}

func (s *store) exceed(err error) error {
	if s.exceeded == nil {
		s.exceeded = err
	}
	return s.exceeded
}

// isComplete reports whether all imports of a file are known.
func (s *store) isComplete(f *File, seen map[*File]bool) bool {
	if f.complete || seen[f] {
		return true
	}
	seen[f] = true
	for _, path := range f.imports {
		if to := s.imported(f, path); to == nil || !s.isComplete(to, seen) {
			return false
		}
	}
	return true
}

// add adds the files of an answer. It returns them, or existing files with the
// same content.
func (r *Reader) add(contents [][]byte) (files []*File, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := answer{store: &r.store, files: make(map[string]*File, len(contents)), state: make(map[string]bool, len(contents))}
	for _, content := range contents {
		f, err := newFile(r, content)
		if err != nil {
			return nil, err
		}
		if other := a.files[f.path]; other != nil && !bytes.Equal(other.raw, f.raw) {
			return nil, fmt.Errorf("the answer contains two versions of %s", f.path)
		}
		if a.files[f.path] == nil {
			a.files[f.path] = f
			files = append(files, f)
		}
	}
	for i, f := range files {
		files[i] = a.settle(f)
	}
	return files, r.store.exceeded
}

// answer holds the files of an answer while they are added.
type answer struct {
	*store
	files map[string]*File // by path: at first those of the answer, at the end those to keep
	state map[string]bool  // by path: false while the imports of the file are being settled
}

// settle returns the file to keep for f: an existing file with the same content
// and the same imports, or f itself.
func (a *answer) settle(f *File) *File {
	if _, begun := a.state[f.path]; begun {
		return a.files[f.path]
	}
	a.state[f.path] = false
	scope := make(map[string]*File)
	for _, path := range f.imports {
		to := a.files[path]
		if to == nil {
			continue
		}
		if to = a.settle(to); a.state[path] { // false in a cycle, which linking reports
			scope[path] = to
		}
	}
	kept := a.keep(f, scope)
	a.files[f.path], a.state[f.path] = kept, true
	return kept
}

func (a *answer) keep(f *File, scope map[string]*File) *File {
	for _, old := range a.versions[f.path] {
		if bytes.Equal(old.raw, f.raw) && a.importsSame(old, scope) {
			return old
		}
	}
	for path, to := range scope {
		if a.store.files[path] == to {
			delete(scope, path)
		}
	}
	if a.bytes+len(f.raw) > a.limits.Bytes || a.count == a.limits.Files {
		_ = a.exceed(tooMuch("the server's files are too large: more than %d files or %d bytes", a.limits.Files, a.limits.Bytes))
		return f
	}
	f.scope = scope
	a.count++
	a.bytes += len(f.raw)
	if a.store.files[f.path] == nil {
		a.store.files[f.path] = f
	}
	a.versions[f.path] = append(a.versions[f.path], f)
	return f
}

func (a *answer) importsSame(f *File, scope map[string]*File) bool {
	for path, to := range scope {
		if a.imported(f, path) != to {
			return false
		}
	}
	return true
}
