package dispatch

import (
	"sync"
	"sync/atomic"
)

// Current is the generation that is served. Calls pin it: what it needs is
// released when nothing is left of it. The zero Current has none.
type Current struct {
	generation atomic.Pointer[Generation]

	mu   sync.Mutex
	past map[*Generation]bool // that calls still use
}

// Load returns the generation that is served now, for what needs none of its
// handlers; nil at first.
func (c *Current) Load() *Generation { return c.generation.Load() }

// Pin returns the generation that is served now, for a call that must Unpin it.
func (c *Current) Pin() *Generation {
	for {
		if g := c.generation.Load(); g.pin() {
			return g
		}
	}
}

// Begin finds the route of a call's path, and pins the generation for the call,
// which must unpin it in the end. The error for an unknown path has a status.
//
// Calls of the server's own services pin nothing, and the generation is nil: they
// need nothing of it, and may last for as long as their callers like.
func (c *Current) Begin(path string) (*Served, *Generation, error) {
	g := c.Pin()
	route := g.Route(path)
	if route != nil && !route.own {
		return route, g, nil
	}
	defer g.Unpin()
	if route == nil {
		return nil, nil, g.Unknown(path)
	}
	return route, nil, nil
}

// Swap serves g from now on. The generation before ends with its last call.
func (c *Current) Swap(g *Generation) {
	g.ended = c.forget
	if before, last := c.replace(g); last {
		before.end()
	}
}

// replace swaps g in and reports whether no call uses the generation before. It
// takes that one's pin together with its place, for Calls to count calls alone.
func (c *Current) replace(g *Generation) (before *Generation, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before = c.generation.Swap(g)
	if before == nil {
		return nil, false
	}
	if c.past == nil {
		c.past = make(map[*Generation]bool)
	}
	c.past[before] = true
	return before, before.pins.Add(-1) == 0
}

func (c *Current) forget(g *Generation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.past, g)
}

// Close serves nothing from now on: what the last generation needs is released
// when its calls have ended.
func (c *Current) Close() {
	nothing := new(Builder).newGeneration(&Generation{}, Input{}, nil, nil)
	c.Swap(nothing)
}

// Calls returns how many calls are in progress.
func (c *Current) Calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := int64(0)
	for g := range c.past {
		n += g.pins.Load()
	}
	if g := c.generation.Load(); g != nil {
		n += max(g.pins.Load()-1, 0)
	}
	return int(n)
}

// pin adds a call to the generation, unless it has ended.
func (g *Generation) pin() bool {
	for {
		n := g.pins.Load()
		if n == 0 {
			return false
		}
		if g.pins.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Unpin ends a call, or the time in which the generation was served. There is
// nothing to do for a nil generation.
func (g *Generation) Unpin() {
	if g != nil && g.pins.Add(-1) == 0 {
		g.end()
	}
}

// end gives up what the generation needed.
func (g *Generation) end() {
	for _, l := range g.held {
		l.Release()
	}
	if g.ended != nil {
		g.ended(g)
	}
}
