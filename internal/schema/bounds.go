package schema

import (
	"cmp"
	"fmt"
	"slices"
)

// For each file, the compiler merges the names of the whole import closure, and the Go runtime
// follows every path along public imports. So a hostile folder of a megabyte could take gigabytes
// of memory, or years. Work is counted in bytes of closures.
const (
	costOfFile = 400 // of each file in a closure
	costOfWay  = 16  // of each path along public imports

	freeWork = 128 << 20 // allowed for any set of files
)

// closure is a file with all its direct and indirect imports.
type closure struct {
	files, bytes int
	ways         float64 // paths along public imports
}

func (c closure) work() float64 {
	return float64(c.bytes) + costOfFile*float64(c.files) + costOfWay*c.ways
}

// bound refuses files whose imports exceed the limits, those with the most work first.
func (g *graph) bound(lim Limits) {
	m := measure{limit: lim.Imports, ways: make(map[*node]float64, len(g.nodes))}
	all := make(map[*node]closure, len(g.nodes))
	order := make([]*node, 0, len(g.nodes))
	left := float64(freeWork)
	for _, n := range g.nodes {
		all[n] = m.closure(n)
		order = append(order, n)
		left += float64(lim.ImportWork) * float64(n.in.size)
	}
	slices.SortFunc(order, func(a, b *node) int {
		return cmp.Or(cmp.Compare(all[a].work(), all[b].work()), cmp.Compare(a.path(), b.path()))
	})
	for _, n := range order {
		c := all[n]
		left -= c.work()
		refused := ""
		switch {
		case c.files > lim.Imports:
			refused = fmt.Sprintf("this file imports more than %d files, directly or not", lim.Imports)
		case left < 0 && c.ways > float64(c.files):
			refused = "the public imports of this file lead to the same files in too many ways; import those files directly"
		case left < 0:
			refused = "the imports of this file, with those of all others, are too much work; import less, or serve fewer files"
		}
		if n.refused != refused {
			n.refused, n.dirty = refused, true
		}
	}
}

type measure struct {
	limit int // of files
	ways  map[*node]float64
}

func (m *measure) closure(of *node) (c closure) {
	for _, ref := range of.imports {
		if ref.node != nil {
			c.ways += m.waysThrough(ref.node)
		}
	}
	work := []*node{of}
	of.seenFrom = of
	for len(work) > 0 && c.files <= m.limit {
		n := work[len(work)-1]
		work = work[:len(work)-1]
		c.files++
		c.bytes += n.in.size
		for _, ref := range n.imports {
			if to := ref.node; to != nil && to.seenFrom != of {
				to.seenFrom = of
				work = append(work, to)
			}
		}
	}
	return c
}

// waysThrough counts the paths from a file along public imports.
func (m *measure) waysThrough(n *node) float64 {
	if known, ok := m.ways[n]; ok {
		return known
	}
	m.ways[n] = 0 // for cycles
	var ways float64
	for _, ref := range n.imports {
		if ref.node != nil && ref.public {
			ways += 1 + m.waysThrough(ref.node)
		}
	}
	m.ways[n] = ways
	return ways
}
