package dispatch

import "sync"

// Derived is a kind of value that is made from a generation when it is first
// needed, once for each generation, and kept as long as that. It is safe for
// concurrent use.
type Derived[T any] struct{ derive func(*Generation) T }

// NewDerived returns the kind of values that derive makes.
func NewDerived[T any](derive func(*Generation) T) *Derived[T] { return &Derived[T]{derive} }

// Of returns the value of a generation. Whoever asks while it is made waits.
func (d *Derived[T]) Of(g *Generation) T {
	value, found := g.derived.Load(d)
	if !found {
		value, _ = g.derived.LoadOrStore(d, sync.OnceValue(func() T { return d.derive(g) }))
	}
	return value.(func() T)() //nolint:forcetypeassert // what is stored for d is of this type
}
