package schema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
)

// maxHomonyms limits how many groups of files that declare the same names are
// reported.
const maxHomonyms = 10

// homonyms are names that each of the same files declares.
type homonyms struct {
	files   []*File // sorted by path
	names   []protoreflect.FullName
	visible int // how many of the files the services need
}

// findHomonyms reports the names that several files declare, once for each group of files. It is a
// warning if clients can see the files, because they may load the files of all services into one
// pool of names. It is a hint if all of the files are built into the program, because its users
// cannot change them.
func (s *Snapshot) findHomonyms() (out []*diag.Diagnostic) {
	visible := s.visible()
	var groups []*homonyms
	for _, h := range s.groupHomonyms() {
		if h.count(visible); h.visible > 1 || h.onDisk() > 1 {
			groups = append(groups, h)
		}
	}
	slices.SortFunc(groups, func(a, b *homonyms) int {
		return cmp.Or(cmp.Compare(a.severity(), b.severity()),
			slices.CompareFunc(a.files, b.files, func(f, g *File) int { return strings.Compare(f.Path(), g.Path()) }))
	})
	for _, h := range groups[:min(len(groups), maxHomonyms)] {
		out = append(out, h.diagnose())
	}
	if rest := groups[len(out):]; len(rest) > 0 {
		out = append(out, plain(rest[0].severity(), "", "%d more groups of files declare the same names", len(rest)))
	}
	return out
}

// visible returns the import paths of the files that declare services, and of all their imports.
func (s *Snapshot) visible() map[string]bool {
	seen := make(map[string]bool)
	work := make([]*linked, 0, len(s.services))
	for _, svc := range s.services {
		work = append(work, svc.File.linked)
	}
	for len(work) > 0 {
		l := work[len(work)-1]
		work = work[:len(work)-1]
		if path := l.desc.Path(); !seen[path] {
			seen[path] = true
			work = append(work, l.deps...)
		}
	}
	return seen
}

// groupHomonyms finds the names that several files declare. Services are left out: their names must be unique anyway.
func (s *Snapshot) groupHomonyms() map[string]*homonyms {
	groups := make(map[string]*homonyms)
	for _, p := range s.index.packages {
		for _, name := range slices.Sorted(maps.Keys(p.several)) {
			var files []*File
			for _, fd := range p.several[name] {
				if fd.Services().ByName(name.Name()) == nil {
					files = append(files, s.byPath[fd.Path()])
				}
			}
			if len(files) < 2 {
				continue
			}
			slices.SortFunc(files, func(a, b *File) int { return strings.Compare(a.Path(), b.Path()) })
			var key strings.Builder
			for _, f := range files {
				key.WriteString(f.Path() + "\n")
			}
			h := groups[key.String()]
			if h == nil {
				h = &homonyms{files: files}
				groups[key.String()] = h
			}
			h.names = append(h.names, name)
		}
	}
	return groups
}

// count counts the visible files.
func (h *homonyms) count(visible map[string]bool) {
	for _, f := range h.files {
		if visible[f.Path()] {
			h.visible++
		}
	}
}

func (h *homonyms) severity() diag.Severity {
	if h.visible > 1 && slices.ContainsFunc(h.files, func(f *File) bool { return !f.builtIn() }) {
		return diag.Warning
	}
	return diag.Hint
}

// builtIn reports whether a file is not on disk but, for example, in an embed.FS.
func (f *File) builtIn() bool { return f.input.stat.info != nil && f.input.stat.info.Sys() == nil }

// onDisk counts the files on disk: if one root contains another, a file has several import paths.
func (h *homonyms) onDisk() int {
	entries := make([]serviceEntry, len(h.files))
	for i, f := range h.files {
		entries[i].file = f
	}
	return len(oneOfEach(entries))
}

// diagnose points at the first of the names in the first file, and names the other files.
func (h *homonyms) diagnose() *diag.Diagnostic {
	const enough = 4
	file, name := h.files[0], h.names[0]
	entries := make([]serviceEntry, len(h.files))
	for i, f := range h.files {
		entries[i] = serviceEntry{file: f}
		if i < enough {
			entries[i].line, entries[i].column = f.Position(Find(f.linked.desc, name))
		}
	}
	names, verb := string(name), "is"
	switch more := len(h.names) - 1; {
	case more == 1:
		names, verb = fmt.Sprintf("%s and %s", name, h.names[1]), "are"
	case more > 1:
		names, verb = fmt.Sprintf("%s and %d more names", name, more), "are"
	}
	why := ""
	if h.severity() == diag.Warning {
		why = "; clients that load all files at once fail (buf curl --list-methods)"
	}
	d := file.Diagnose(h.severity(), Find(file.linked.desc, name), "%s %s also declared in %s%s", names, verb, others(entries, file), why)
	d.Identity = fmt.Sprintf("%s and %d more in %d files, %s", name, len(h.names)-1, len(h.files), file.Location())
	for _, f := range h.files[1:min(len(h.files), enough)] {
		d.Identity += ", " + f.Location()
	}
	return d
}
