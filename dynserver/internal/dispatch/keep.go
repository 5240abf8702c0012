package dispatch

import (
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/schema"
)

// keeper decides which services keep their last good version because what the
// files say of them now cannot be served, or cannot be told yet.
type keeper struct {
	prev  *Generation
	snap  *schema.Snapshot
	since time.Time // files that changed after this may be half written

	newcomers []*schema.File // files that prev did not have; nil until asked for
	leaving   time.Time
}

// keep adds the last good version of the services that are to have it.
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

// undeclared returns what becomes of a service that no file declares: its last
// version while that may be for want of reading, otherwise nil. A file that is
// broken, or is being written, may declare it all the same.
func (k *keeper) undeclared(last *Service) *Service {
	files := k.homes(last)
	homes := make([]string, len(files))
	for i, f := range files {
		homes[i] = f.Path()
	}
	for _, f := range files {
		if len(f.Errors()) > 0 {
			return stale(last, homes, f.Errors())
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
	if len(homes) == 0 { // it was in a descriptor set that is being written
		homes = last.homes
	}
	kept := stale(last, homes, []*diag.Diagnostic{leaving(last)})
	if kept != last {
		kept.Leaving = true
	}
	return kept
}

// homes returns the files that may declare a service that none declares as far
// as can be told: those that did, and those that are new, as it may have been
// moved or its file renamed. New ones that are good only count for a stale
// service: what cannot be read yet of another is live when it can.
func (k *keeper) homes(last *Service) (files []*schema.File) {
	for _, path := range last.homes {
		if f := k.snap.File(path); f != nil {
			files = append(files, f)
		}
	}
	if k.newcomers == nil {
		k.newcomers = append([]*schema.File{}, k.snap.Newcomers(k.prev.Snapshot)...) // not nil
	}
	pkg := string(last.Desc.ParentFile().Package())
	for _, f := range k.newcomers {
		// A file that ends too early may end within the name of its package.
		fits := strings.HasPrefix(pkg, string(f.Package()))
		if fits && len(files) < maxHomes && (len(f.Errors()) > 0 || len(last.Stale) > 0) {
			files = append(files, f)
		}
	}
	return files
}

// maxHomes bounds the files that are watched for a service that none declares.
// There are more only when many files come at once, and then few are half written.
const maxHomes = 100

// leaving says why a service is kept that its file does not declare.
func leaving(s *Service) *diag.Diagnostic {
	return diag.New(diag.Warning, diag.Position{Path: s.File.Location()},
		"service %s is no longer declared; it is removed unless it comes back soon, as its file may be half written", s.Desc.FullName())
}

// stale returns the last good version of a service that the files at homes
// declare now, or may declare, in a way that cannot be served.
func stale(last *Service, homes []string, why []*diag.Diagnostic) *Service {
	if last == nil {
		return nil
	}
	same := func(a, b *diag.Diagnostic) bool { return a.Text == b.Text }
	if slices.Equal(last.homes, homes) && slices.EqualFunc(last.Stale, why, same) {
		return last
	}
	kept := *last
	kept.Stale, kept.Leaving, kept.homes = why, false, homes
	return &kept
}
