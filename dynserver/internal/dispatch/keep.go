package dispatch

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/schema"
)

// keeper decides which services keep their last good version: those whose files
// are broken, and those whose files may be half written.
type keeper struct {
	prev  *Generation
	snap  *schema.Snapshot
	since time.Time // files that changed after this may be half written

	added   []*schema.File // files that prev does not have; nil until mayDeclare needs them
	leaving time.Time
}

// keep adds the last good version of the services that keep it.
func (k *keeper) keep(services map[protoreflect.FullName]*Service) {
	for _, broken := range k.snap.Broken() {
		if last := k.prev.services[broken.Name]; last != nil && services[broken.Name] == nil {
			services[broken.Name] = stale(last, []string{broken.File.Path()}, broken.Errors)
		}
	}
	for _, last := range k.prev.Services {
		name := last.Desc.FullName()
		if services[name] != nil {
			continue
		}
		if kept := k.undeclared(last); kept != nil {
			services[name] = kept
		}
	}
}

// undeclared returns the last version of a service that no file declares now, if
// a file that is broken or half written may declare it. Otherwise it returns nil.
func (k *keeper) undeclared(last *Service) *Service {
	files := k.mayDeclare(last)
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path()
	}
	for _, f := range files {
		if len(f.Errors()) > 0 {
			return stale(last, paths, f.Errors())
		}
	}
	changed := k.snap.Changed(last.File)
	for _, f := range files {
		if at := k.snap.Changed(f); at.After(changed) {
			changed = at
		}
	}
	if !changed.After(k.since) {
		return nil
	}
	if k.leaving.IsZero() || changed.Before(k.leaving) {
		k.leaving = changed
	}
	if len(paths) == 0 { // it was in a descriptor set that is being written
		paths = last.declaredIn
	}
	kept := stale(last, paths, []*diag.Diagnostic{leaving(last)})
	if kept != last {
		kept.Leaving = true
	}
	return kept
}

// mayDeclare returns the files that may declare a service that no readable file
// declares: the files that declared it, and files that are new, because the service
// may have moved or its file may have a new name. Good new files only count for a
// stale service.
func (k *keeper) mayDeclare(last *Service) (files []*schema.File) {
	for _, path := range last.declaredIn {
		if f := k.snap.File(path); f != nil {
			files = append(files, f)
		}
	}
	if k.added == nil {
		k.added = append([]*schema.File{}, k.snap.Newcomers(k.prev.Snapshot)...) // not nil
	}
	pkg := string(last.Desc.ParentFile().Package())
	for _, f := range k.added {
		// A half-written file may end within the name of its package.
		fits := strings.HasPrefix(pkg, string(f.Package()))
		if fits && len(files) < maxFiles && (len(f.Errors()) > 0 || len(last.Stale) > 0) {
			files = append(files, f)
		}
	}
	return files
}

// maxFiles limits the files that mayDeclare returns. There are more only when many
// files come at once, and then few of them are half written.
const maxFiles = 100

// leaving says why a service is kept although its file does not declare it.
func leaving(s *Service) *diag.Diagnostic {
	return diag.New(diag.Warning, diag.Position{Path: s.File.Location()},
		"service %s is no longer declared; it is removed unless it comes back soon, as its file may be half written", s.Desc.FullName())
}

// stale returns the last good version of a service whose current declaration, which
// is or may be in the files at paths, cannot be served.
func stale(last *Service, paths []string, why []*diag.Diagnostic) *Service {
	if last == nil {
		return nil
	}
	same := func(a, b *diag.Diagnostic) bool { return a.Text == b.Text }
	if slices.Equal(last.declaredIn, paths) && slices.EqualFunc(last.Stale, why, same) {
		return last
	}
	kept := *last
	kept.Stale, kept.Leaving, kept.declaredIn = why, false, paths
	return &kept
}
