package schema

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
)

// Snapshot holds the result of one Compile. It is immutable and safe for concurrent use.
type Snapshot struct {
	services []*Service
	broken   []*BrokenService
	files    []*File
	byPath   map[string]*File
	index    *Index // of the good files
	all      []*diag.Diagnostic
	errors   []*diag.Diagnostic
	sources  []*diag.Diagnostic // about the sources themselves

	companions []*Companion

	sets map[string]time.Time // when each descriptor set changed, by path
}

// Service is a service that can be served.
type Service struct {
	Desc protoreflect.ServiceDescriptor
	File *File
}

// BrokenService is a service that cannot be served now.
type BrokenService struct {
	Name   protoreflect.FullName
	File   *File              // declares the service; it is good if the only problem is that another file declares it too
	Errors []*diag.Diagnostic // why; never empty
}

// Services returns the services that can be served, sorted by full name.
func (s *Snapshot) Services() []*Service { return s.services }

// Broken returns the services that cannot be served now, sorted by full name: those whose file has
// errors in its import closure, and those that several files declare, once for each file. The
// services of a broken file are those that can be read in its text, and those of its last good
// version: a service that is neither here nor in Services was removed.
func (s *Snapshot) Broken() []*BrokenService { return s.broken }

// Files returns the served files, including broken ones, sorted by path.
func (s *Snapshot) Files() []*File { return s.files }

// File returns the served or imported file with an import path, or nil.
func (s *Snapshot) File(path string) *File { return s.byPath[path] }

// Find returns the declaration of any kind with a full name, and its file; nil, nil if there is
// none. If several files declare the name, served files come first, in the order of their paths,
// and then their imports. Broken files have no declarations.
func (s *Snapshot) Find(name protoreflect.FullName) (protoreflect.Descriptor, *File) {
	d := s.index.Find(name)
	if d == nil {
		return nil, nil
	}
	return d, s.byPath[d.ParentFile().Path()]
}

// Method returns the method with a path, "/pkg.Service/Method", and its file; nil, nil if there is
// none.
func (s *Snapshot) Method(path string) (protoreflect.MethodDescriptor, *File) {
	service, method, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !ok || !strings.HasPrefix(path, "/") {
		return nil, nil
	}
	i, ok := slices.BinarySearchFunc(s.services, service, func(s *Service, name string) int {
		return strings.Compare(string(s.Desc.FullName()), name)
	})
	if !ok {
		return nil, nil
	}
	m := s.services[i].Desc.Methods().ByName(protoreflect.Name(method))
	if m == nil {
		return nil, nil
	}
	return m, s.services[i].File
}

// Extension returns the extension of a message with a field number; nil if there is none. If
// several files declare one, the first in the order of their paths takes precedence.
func (s *Snapshot) Extension(message protoreflect.FullName, number protoreflect.FieldNumber) protoreflect.ExtensionDescriptor {
	return s.index.Extension(message, number)
}

// Extensions returns the extensions of a message, one for each field number, sorted by it.
func (s *Snapshot) Extensions(message protoreflect.FullName) []protoreflect.ExtensionDescriptor {
	return s.index.Extensions(message)
}

// Forget frees comments and positions, which are most of a snapshot: its files have neither after
// that. The snapshot's compiler holds the same data, so it must be unused and must not compile
// again.
func (s *Snapshot) Forget() {
	for _, f := range s.byPath {
		f.source.Store(nil)
	}
}

// Diagnostics returns all problems: errors first, then sorted by file, line and column.
func (s *Snapshot) Diagnostics() []*diag.Diagnostic { return s.all }

// Errors returns the diagnostics that are errors.
func (s *Snapshot) Errors() []*diag.Diagnostic { return s.errors }

// assemble makes the snapshot of a graph whose nodes are all built. earlier is the last snapshot,
// or nil.
func assemble(g *graph, sources []*diag.Diagnostic, sets map[string]time.Time, earlier *Snapshot) *Snapshot {
	s := &Snapshot{byPath: make(map[string]*File, len(g.order)), sources: sources, sets: sets}
	s.all = slices.Clone(sources)
	for _, n := range g.order {
		s.byPath[n.path()] = n.file
		s.all = append(s.all, n.own...)
	}
	for _, n := range g.served {
		s.files = append(s.files, n.file)
	}
	s.indexFiles(earlier)
	s.gatherServices()
	s.all = append(s.all, s.findHomonyms()...)
	s.all = diag.Sort(s.all)
	s.errors = errorsOf(s.all)
	return s
}

// indexFiles indexes the served files in the order of their paths, and then their imports.
func (s *Snapshot) indexFiles(earlier *Snapshot) {
	paths := slices.Sorted(maps.Keys(s.byPath))
	files := make([]protoreflect.FileDescriptor, 0, len(paths))
	served := make(map[*File]bool, len(s.files))
	for _, f := range s.files {
		if served[f] = true; f.linked != nil {
			files = append(files, f.linked.desc)
		}
	}
	for _, path := range paths {
		if f := s.byPath[path]; f.linked != nil && !served[f] {
			files = append(files, f.linked.desc)
		}
	}
	var index *Index
	if earlier != nil {
		index = earlier.index
	}
	s.index = newIndex(files, index)
}

// serviceEntry is a definition of a service in a file, good or broken.
type serviceEntry struct {
	declared
	file *File
	desc protoreflect.ServiceDescriptor // nil if the file is broken
}

func (f *File) serviceEntries() (out []serviceEntry) {
	if f.linked == nil {
		for _, d := range f.services {
			out = append(out, serviceEntry{declared: d, file: f})
		}
		return out
	}
	list := f.linked.desc.Services()
	for i := range list.Len() {
		out = append(out, serviceEntry{declared{name: list.Get(i).FullName()}, f, list.Get(i)})
	}
	return out
}

// gatherServices finds the good and the broken services.
func (s *Snapshot) gatherServices() {
	byName := make(map[protoreflect.FullName][]serviceEntry)
	for _, f := range s.files {
		for _, e := range f.serviceEntries() {
			byName[e.name] = append(byName[e.name], e)
		}
	}
	for name, entries := range byName {
		if slices.ContainsFunc(entries, func(e serviceEntry) bool { return !e.presumed }) {
			// The service may have moved out of a broken file.
			entries = slices.DeleteFunc(entries, func(e serviceEntry) bool { return e.presumed })
		}
		entries = oneOfEach(entries)
		clash := clashOf(entries)
		s.all = append(s.all, clash...)
		for _, e := range entries {
			switch {
			case len(clash) > 0:
				s.broken = append(s.broken, &BrokenService{name, e.file, slices.Concat(clash, e.file.errors)})
			case e.desc == nil:
				s.broken = append(s.broken, &BrokenService{name, e.file, e.file.errors})
			default:
				s.services = append(s.services, &Service{e.desc, e.file})
			}
		}
	}
	slices.SortFunc(s.services, func(a, b *Service) int {
		return strings.Compare(string(a.Desc.FullName()), string(b.Desc.FullName()))
	})
	slices.SortFunc(s.broken, func(a, b *BrokenService) int {
		return cmp.Or(strings.Compare(string(a.Name), string(b.Name)), strings.Compare(a.File.Path(), b.File.Path()))
	})
}

// oneOfEach keeps one entry for each file on disk: if one root contains another, a file has several import
// paths. It prefers a good entry, then the first.
func oneOfEach(entries []serviceEntry) []serviceEntry {
	if len(entries) > maxDiagnostics {
		return entries // one file cannot have that many paths
	}
	var out []serviceEntry
	for _, e := range entries {
		i := slices.IndexFunc(out, func(o serviceEntry) bool { return o.file != e.file && sameOnDisk(o.file.input, e.file.input) })
		switch {
		case i < 0:
			out = append(out, e)
		case out[i].desc == nil && e.desc != nil:
			out[i] = e
		}
	}
	return out
}

func sameOnDisk(a, b *input) bool {
	return a.stat.info != nil && b.stat.info != nil && a.stat.info.Sys() != nil && os.SameFile(a.stat.info, b.stat.info)
}

// clashOf returns an error for each definition of a service that has several.
func clashOf(entries []serviceEntry) (out []*diag.Diagnostic) {
	files := make(map[*File]bool)
	for i, e := range entries {
		if e.desc != nil {
			entries[i].line, entries[i].column = e.file.Position(e.desc)
		}
		files[e.file] = true
	}
	if len(files) < 2 {
		return nil // the compiler reports names that one file declares twice
	}
	for _, e := range entries[:min(len(entries), maxDiagnostics)] {
		out = append(out, e.file.errorAt(string(e.name),
			"service %s is also defined in %s; no two files that are served may define one service",
			e.name, others(entries, e.file)))
	}
	return out
}

// others lists the positions of the first few entries in other files.
func others(entries []serviceEntry, but *File) string {
	const enough = 3
	out := make([]string, 0, enough)
	for i, e := range entries {
		if e.file == but {
			continue
		}
		if len(out) == enough {
			return fmt.Sprintf("%s and up to %d more files", strings.Join(out, ", "), len(entries)-i)
		}
		out = append(out, place(e))
	}
	return strings.Join(out, " and ")
}

func place(e serviceEntry) string {
	return diag.Position{Path: e.file.Location(), Line: e.line, Column: e.column}.String()
}
