package dispatch

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/pattern"
	"github.com/dyngate/dyngate/internal/schema"
)

// table finds the registrations that answer a method.
type table struct {
	all   []*entry
	exact map[string][]*entry // of methods and services, by the pattern's text, in order
	globs []*entry            // in order
}

// entry is a registration in a table.
type entry struct {
	*handlers.Registration
	pattern pattern.Pattern
	tie     *diag.Diagnostic // with another one that has the same pattern and rank
	matched bool             // at least one method
}

// newTable makes a table. Invalid registrations are left out and reported. Ties are
// reported as well.
func newTable(regs []*handlers.Registration) (*table, []*diag.Diagnostic) {
	var all []*entry
	var problems []*diag.Diagnostic
	for _, reg := range regs {
		p, err := pattern.Parse(reg.Pattern)
		switch {
		case err != nil:
			problems = append(problems, diag.New(diag.Error, reg.Position, "%v", err))
		case reg.Implementation == nil:
			problems = append(problems, diag.New(diag.Error, reg.Position, "nothing is registered for %q", p.Text))
		default:
			all = append(all, &entry{Registration: reg, pattern: p})
		}
	}
	slices.SortStableFunc(all, func(a, b *entry) int {
		return cmp.Or(pattern.Compare(a.pattern, b.pattern), cmp.Compare(b.Rank, a.Rank))
	})
	problems = append(problems, findTies(all)...)
	t := &table{all: all, exact: make(map[string][]*entry)}
	for _, e := range all {
		if e.pattern.IsGlob() {
			t.globs = append(t.globs, e)
		} else {
			t.exact[e.pattern.Text] = append(t.exact[e.pattern.Text], e)
		}
	}
	return t, problems
}

// findTies marks and reports registrations of the same pattern and rank. They are
// neighbors in sorted.
func findTies(sorted []*entry) (ties []*diag.Diagnostic) {
	for i, e := range sorted[:max(len(sorted)-1, 0)] {
		next := sorted[i+1]
		if e.pattern.Text != next.pattern.Text || e.Rank != next.Rank {
			continue
		}
		tie := diag.New(diag.Error, next.Position, "%q is registered twice: here and at %s", e.pattern.Text, e.Position)
		e.tie, next.tie = cmp.Or(e.tie, tie), tie
		ties = append(ties, tie)
	}
	return ties
}

// declared returns the services that registrations declare and that no file of the
// snapshot declares, broken files included.
func (t *table) declared(snap *schema.Snapshot, prev *Generation) (services []*schema.Service) {
	known := make(map[protoreflect.FullName]bool)
	for _, s := range snap.Services() {
		known[s.Desc.FullName()] = true
	}
	for _, b := range snap.Broken() {
		known[b.Name] = true
	}
	for _, e := range t.all {
		if e.Declares == nil || known[e.Declares.FullName()] {
			continue
		}
		known[e.Declares.FullName()] = true
		file := schema.BuiltIn(e.Declares.ParentFile())
		if before := prev.services[e.Declares.FullName()]; before != nil && before.Desc == e.Declares {
			file = before.File
		}
		services = append(services, &schema.Service{Desc: e.Declares, File: file})
	}
	return services
}

// unmatched returns the registrations that cover none of the methods that were
// looked up so far.
func (t *table) unmatched() (regs []*handlers.Registration) {
	for _, e := range t.all {
		if !e.matched {
			regs = append(regs, e.Registration)
		}
	}
	return regs
}

// lookup returns the registrations that answer a method, in order. The list ends
// with the first one that does not decline calls. If two of them tie, lookup
// returns the tie instead.
func (t *table) lookup(m *handlers.Method) (regs []*handlers.Registration, tie *diag.Diagnostic) {
	complete := false
	for _, list := range [][]*entry{t.exact[m.Path()], t.exact[string(m.Parent().FullName())], t.globs} {
		for _, e := range list {
			if !e.pattern.Covers(m) {
				continue
			}
			e.matched = true
			if complete {
				continue
			}
			if e.tie != nil {
				regs, tie = nil, e.tie
			} else {
				regs = append(regs, e.Registration)
			}
			complete = e.tie != nil || !e.MayDecline
		}
	}
	return regs, tie
}
