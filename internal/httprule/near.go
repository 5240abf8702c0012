package httprule

import (
	"maps"
	"slices"
	"strings"

	"github.com/dyngate/dyngate/internal/nearest"
)

// These bound the work of Near, which any unknown path can cause.
const (
	nearWork = 2000 // nodes visited and literals compared
	nearPath = 2000 // bytes of a path
)

// The differences that a template may have, at most one of them, the smallest first.
const (
	atEnd     = 1 + iota // the value of the last variable, or a slash at the end
	misspelt             // a segment
	begun                // a segment and a literal differ, but for a common beginning
	displaced            // a segment is missing, or too much
)

// Near returns up to limit templates that are near to a path that none matches. Only those with
// the smallest difference are returned: the path lacks the value of the last variable or has a
// slash too much at its end, one of its segments is misspelt or has only the beginning right, or
// a segment is missing or too much.
func (t *Tree) Near(escapedPath string, limit int) []string {
	if t == nil || len(escapedPath) > nearPath || !strings.HasPrefix(escapedPath, "/") || badEscape(escapedPath) >= 0 {
		return nil
	}
	path, verb, _ := cutVerb(escapedPath)
	w := nearWalk{segments: strings.Split(path[1:], "/"), verb: verb, left: nearWork, cost: make(map[string]int)}
	w.walk(t.root, 0, 0)
	least := displaced
	for _, cost := range w.cost {
		least = min(least, cost)
	}
	maps.DeleteFunc(w.cost, func(_ string, cost int) bool { return cost > least })
	found := slices.Sorted(maps.Keys(w.cost))
	return found[:min(limit, len(found))]
}

// cutVerb cuts a path at the colon in its last segment.
func cutVerb(path string) (before, verb string, found bool) {
	if colon := strings.LastIndexByte(path, ':'); colon > strings.LastIndexByte(path, '/') {
		return path[:colon], path[colon+1:], true
	}
	return path, "", false
}

// nearWalk is a walk through a tree that tolerates differences.
type nearWalk struct {
	segments []string
	verb     string         // in the path, after a colon
	left     int            // how much work is still allowed
	cost     map[string]int // of the templates that were found
}

// walk visits the nodes below n. i segments have been passed, with a difference or 0.
func (w *nearWalk) walk(n *node, i, cost int) {
	if w.left--; w.left < 0 {
		return
	}
	if i >= len(w.segments) {
		w.found(n, cost)
		if cost == 0 && n.single != nil {
			w.found(n.single, atEnd)
		}
	}
	if n.rest != nil && (cost != displaced || i >= len(w.segments)) {
		w.found(n.rest, cost)
	}
	if i < len(w.segments) {
		segment := w.segments[i]
		if next := n.literal(segment); next != nil {
			w.walk(next, i+1, cost)
		}
		if n.single != nil && segment != "" {
			w.walk(n.single, i+1, cost)
		}
		if cost == 0 {
			w.walk(n, i+1, w.costOf(i, displaced)) // without this segment
			w.misspelt(n, i)
		}
	}
	if cost == 0 { // with one more segment
		for _, l := range n.literals {
			w.walk(l.node, i, displaced)
		}
		if n.single != nil {
			w.walk(n.single, i, displaced)
		}
	}
}

// misspelt visits the nodes below n for which segment i is wrong, but not far off.
func (w *nearWalk) misspelt(n *node, i int) {
	segment := w.segments[i]
	if n.single != nil && segment == "" {
		w.walk(n.single, i+1, w.costOf(i, misspelt))
	}
	names := w.names(n)
	for _, name := range nearest.Names(segment, names, 3) {
		if name != segment {
			w.walk(n.after(name), i+1, misspelt)
		}
	}
	for _, name := range names {
		if name != segment && sameBeginning(name, segment) {
			w.walk(n.after(name), i+1, begun)
		}
	}
}

// costOf returns the cost of an empty last segment, or else the cost that segment i has.
func (w *nearWalk) costOf(i, cost int) int {
	if i == len(w.segments)-1 && w.segments[i] == "" {
		return atEnd
	}
	return cost
}

// sameBeginning reports whether one text begins with the other, which is at least half as long.
func sameBeginning(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) >= 3 && 2*len(a) >= len(b) && strings.HasPrefix(b, a)
}

// names returns the literals of a node, unless they are too much work.
func (w *nearWalk) names(n *node) []string {
	if w.left -= len(n.literals); w.left < 0 {
		return nil
	}
	names := make([]string, len(n.literals))
	for i, l := range n.literals {
		names[i] = l.text
	}
	return names
}

// found adds the templates that end at n: those with the verb of the path, if there are any.
func (w *nearWalk) found(n *node, cost int) {
	ends := n.ends
	if e := n.ending(w.verb); e != nil {
		ends = []ending{*e}
	}
	for _, e := range ends {
		for _, b := range e.bindings {
			if before, ok := w.cost[b.Template.text]; !ok || cost < before {
				w.cost[b.Template.text] = cost
			}
		}
	}
}
