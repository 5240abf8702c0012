package handlers

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
)

// Registry says which [Implementation] answers which method. Make one with
// [NewRegistry]. It is safe for concurrent use; a running server sees what was
// added at its next reload.
type Registry struct {
	mu        sync.RWMutex
	byPattern map[string]*Registration
	globs     []*Registration // the ** patterns, most specific first
	ordered   []*Registration // all, in the order they were made
	errs      []error
}

// Registration is one entry of a [Registry].
type Registration struct {
	// Pattern is the pattern as it was given, without a leading slash.
	Pattern string
	// Site is where in the program Handle was called, as file.go:line.
	Site string
	// Implementation is what answers.
	Implementation Implementation

	pattern pattern
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry {
	return &Registry{byPattern: make(map[string]*Registration)}
}

// Handle registers impl for the methods that pattern covers:
//
//	pkg.Service/Method   one method
//	pkg.Service          every method of a service that has none of its own
//	pkg.**               every service in pkg and in the packages below it
//	**                   everything
//
// Exact beats service beats **, and a longer prefix beats a shorter one. Two
// registrations of the same pattern, an invalid pattern and a nil impl are
// errors; they are kept until [Registry.Err] is asked, as a server does when
// it starts, so that all of them are reported at once.
func (r *Registry) Handle(pattern string, impl Implementation) {
	reg := &Registration{Pattern: pattern, Implementation: impl, Site: callerSite()}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.add(reg); err != nil {
		r.errs = append(r.errs, fmt.Errorf("%s: %w", reg.Site, err))
	}
}

func (r *Registry) add(reg *Registration) error {
	p, err := parsePattern(reg.Pattern)
	if err != nil {
		return err
	}
	if reg.Implementation == nil {
		return fmt.Errorf("nil implementation for %q", reg.Pattern)
	}
	reg.Pattern, reg.pattern = p.text, p
	if first := r.byPattern[p.text]; first != nil {
		return fmt.Errorf("%q is registered twice: here and at %s", p.text, first.Site)
	}
	r.byPattern[p.text] = reg
	r.ordered = append(r.ordered, reg)
	if p.glob {
		r.globs = append(r.globs, reg)
		slices.SortStableFunc(r.globs, func(a, b *Registration) int {
			return len(b.pattern.prefix) - len(a.pattern.prefix)
		})
	}
	return nil
}

// Err returns all that was wrong with the registrations so far, joined, or nil.
func (r *Registry) Err() error { return errors.Join(r.Errs()...) }

// Errs returns all that was wrong with the registrations so far.
func (r *Registry) Errs() []error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.errs)
}

// Lookup returns the registration that answers a method, or nil.
func (r *Registry) Lookup(m *Method) *Registration {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if reg := r.byPattern[m.Path()]; reg != nil {
		return reg
	}
	if reg := r.byPattern[string(m.Parent().FullName())]; reg != nil {
		return reg
	}
	for _, reg := range r.globs {
		if reg.pattern.covers(m.Parent().FullName()) {
			return reg
		}
	}
	return nil
}

// All returns the registrations in the order in which they were made.
func (r *Registry) All() []*Registration {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.ordered)
}

// callerSite names the line that called the exported function.
func callerSite() string {
	_, file, line, ok := runtime.Caller(2)
	if !ok {
		return "unknown place"
	}
	return fmt.Sprintf("%s:%d", filepath.Base(file), line)
}
