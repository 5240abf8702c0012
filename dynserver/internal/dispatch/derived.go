package dispatch

import "sync"

// Derived is a value that is computed from a generation when it is first needed,
// once for each generation. The generation keeps it. Its methods are safe for
// concurrent use.
type Derived[T any] struct{ derive func(*Generation) T }

// NewDerived returns a Derived that derive computes.
func NewDerived[T any](derive func(*Generation) T) *Derived[T] { return &Derived[T]{derive} }

// Of returns the value of a generation. Concurrent calls wait for the first one.
func (d *Derived[T]) Of(g *Generation) T {
	value, found := g.derived.Load(d)
	if !found {
		value, _ = g.derived.LoadOrStore(d, sync.OnceValue(func() T { return d.derive(g) }))
	}
	return value.(func() T)() //nolint:forcetypeassert // what is stored for d is of this type
}
