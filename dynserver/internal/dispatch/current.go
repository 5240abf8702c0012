package dispatch

import (
	"sync"
	"sync/atomic"
)

// Current is the generation that is served. Each call pins the generation in which
// it begins; a generation that has been replaced releases what it needs when its
// last call ends. The zero Current has no generation.
type Current struct {
	generation atomic.Pointer[Generation]

	mu   sync.Mutex
	past map[*Generation]bool // replaced, but still pinned by calls
}

// Load returns the current generation, or nil at first. It does not pin it, so its
// handlers must not be called.
func (c *Current) Load() *Generation { return c.generation.Load() }

// Pin returns the current generation for a call, which must Unpin it when it ends.
func (c *Current) Pin() *Generation {
	for {
		if g := c.generation.Load(); g.pin() {
			return g
		}
	}
}

// Begin finds the route for the path of a call and pins the generation for the call,
// which must Unpin it when it ends. The error for an unknown path has a status.
//
// Calls of the server's own services pin nothing, and the generation is nil. They do
// not need it, and may last for days.
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

// Swap makes g the current generation. The one before ends with its last call.
func (c *Current) Swap(g *Generation) {
	g.ended = c.forget
	if before, last := c.replace(g); last {
		before.end()
	}
}

// replace makes g current. It returns the generation before and whether no call
// uses that one. It does both under the lock so that Calls counts only calls.
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

// Close makes an empty generation current. What the last one needs is released when
// its calls have ended.
func (c *Current) Close() {
	nothing := new(Builder).newGeneration(&Generation{}, Input{}, nil, nil)
	c.Swap(nothing)
}

// Calls returns the number of calls in progress, without those of the server's own
// services.
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

// Unpin removes a pin. It does nothing for a nil generation.
func (g *Generation) Unpin() {
	if g != nil && g.pins.Add(-1) == 0 {
		g.end()
	}
}

// end releases what the generation needs.
func (g *Generation) end() {
	for _, l := range g.held {
		l.Release()
	}
	if g.ended != nil {
		g.ended(g)
	}
}
