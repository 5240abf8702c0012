package handlers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/pattern"
)

// Registry maps methods to implementations. Make one with [NewRegistry]. It is
// safe for concurrent use; a running server uses new registrations after its
// next reload.
type Registry struct {
	mu        sync.RWMutex
	byPattern map[string]*Registration
	ordered   []*Registration // in the order of registration
	wrong     []*diag.Diagnostic
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry {
	return &Registry{byPattern: make(map[string]*Registration)}
}

// Handle registers impl for the methods that pattern matches: see
// [Registration].
//
// Two registrations of the same pattern, an invalid pattern and a nil impl are
// errors. [Registry.Err] returns all of them, and a server reports them when it
// starts.
func (r *Registry) Handle(pattern string, impl Implementation) {
	r.register(&Registration{Pattern: pattern, Implementation: impl, Position: callerPosition()})
}

func (r *Registry) register(reg *Registration) {
	if err := r.add(reg); err != nil {
		r.refuse(reg.Position, err)
	}
}

// refuse notes a registration that is wrong.
func (r *Registry) refuse(at diag.Position, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong = append(r.wrong, diag.New(diag.Error, at, "%v", err))
}

func (r *Registry) add(reg *Registration) error {
	p, err := pattern.Parse(reg.Pattern)
	if err != nil {
		return err
	}
	if reg.Implementation == nil {
		return fmt.Errorf("nil implementation for %q", reg.Pattern)
	}
	reg.Pattern = p.Text
	r.mu.Lock()
	defer r.mu.Unlock()
	if first := r.byPattern[p.Text]; first != nil {
		return fmt.Errorf("%q is registered twice: here and at %s", p.Text, first.Position)
	}
	r.byPattern[p.Text] = reg
	r.ordered = append(r.ordered, reg)
	return nil
}

// Err returns the errors of the registrations so far, joined, or nil.
func (r *Registry) Err() error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	errs := make([]error, len(r.wrong))
	for i, d := range r.wrong {
		errs[i] = d
	}
	return errors.Join(errs...)
}

// All returns the registrations in the order of registration.
func (r *Registry) All() []*Registration {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.ordered)
}

// Name implements [Provider].
func (r *Registry) Name() string { return "Go handlers" }

// Load implements [Provider].
func (r *Registry) Load(context.Context) (Answers, []*diag.Diagnostic) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return &registered{slices.Clone(r.ordered)}, slices.Clone(r.wrong)
}

// Files implements [Provider]. A registry reads no files.
func (r *Registry) Files() []string { return nil }

// registered are Answers that hold no resources.
type registered struct{ list []*Registration }

func (r *registered) Registrations() []*Registration { return r.list }
func (r *registered) Release()                       {}

// callerPosition returns the position at which the function that calls it was called.
// Generated code is skipped, because it calls on behalf of others. The path is relative
// if it is below the working directory.
func callerPosition() diag.Position {
	for up := 2; ; up++ {
		_, file, line, ok := runtime.Caller(up)
		if !ok {
			return diag.Position{}
		}
		if strings.HasSuffix(file, ".pb.go") {
			continue
		}
		if wd, err := os.Getwd(); err == nil {
			if rel, err := filepath.Rel(wd, file); err == nil && !strings.HasPrefix(rel, "..") {
				file = rel
			}
		}
		return diag.Position{Path: filepath.ToSlash(file), Line: line}
	}
}
