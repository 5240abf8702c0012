package httprule

import (
	"slices"
	"strings"
)

// Find returns the most specific binding for a verb and the escaped path of a URL; nil
// if there is none. It appends to values what the variables of the binding match, in
// their order, decoded. It allocates only for values that have escapes.
//
// A HEAD request is also for a GET binding.
func (t *Tree) Find(verb, escapedPath string, values []string) (*Binding, []string) {
	s := search{path: escapedPath, method: verb}
	b := s.run(t)
	if b == nil {
		return nil, values
	}
	return b, s.values(b.Template, values)
}

// Allow returns the verbs with which Find finds a binding for a path, sorted; none if no
// template matches it. "*" stands for every verb.
func (t *Tree) Allow(escapedPath string) []string {
	var all []string
	s := search{path: escapedPath, all: &all}
	s.run(t)
	if slices.Contains(all, "GET") {
		all = append(all, "HEAD")
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// maxPath limits the length of a path. Servers limit it much further.
const maxPath = 1 << 30

// search is one walk through a tree. No path can make it visit a node more than twice:
// each node has one way that leads to it.
type search struct {
	path   string
	method string    // the HTTP verb
	all    *[]string // if not nil, the search goes on and collects the HTTP verbs

	verb string // of the templates that are searched
	end  int    // of the path without that verb

	// The segments of the path: from its start, and from its end. An entry is valid for as
	// many segments as the walk has passed.
	head [maxSegments]span
	tail [maxSegments]span
	rest int // where the segments of "**" begin
}

// span is a part of the path. Paths are shorter than 2 GB.
type span struct{ start, end int32 }

func newSpan(start, end int) span {
	return span{int32(start), int32(end)} //nolint:gosec // run checks the length
}

// run searches for templates with the verb of the path, then for those without one.
func (s *search) run(t *Tree) *Binding {
	if t == nil || !strings.HasPrefix(s.path, "/") || len(s.path) > maxPath || badEscape(s.path) >= 0 {
		return nil
	}
	if before, verb, ok := cutVerb(s.path); ok {
		s.verb, s.end = unescape(verb, false), len(before)
		if t.verbs[s.verb] && s.verb != "" {
			if b := s.begin(t.root); b != nil {
				return b
			}
		}
	}
	s.verb, s.end = "", len(s.path)
	return s.begin(t.root)
}

func (s *search) begin(root *node) *Binding {
	if s.end == 1 {
		return s.forward(root, 0, 2) // "/" has no segments
	}
	return s.forward(root, 0, 1)
}

// forward searches below a node at a depth. The next segment begins at pos; there is none
// if pos is behind the end.
func (s *search) forward(n *node, depth, pos int) *Binding {
	if pos > s.end {
		if b := s.accept(n); b != nil {
			return b
		}
	} else if len(n.literals) > 0 || n.single != nil {
		end := s.end
		if i := strings.IndexByte(s.path[pos:end], '/'); i >= 0 {
			end = pos + i
		}
		s.head[min(depth, maxSegments-1)] = newSpan(pos, end) // templates are not deeper
		if next := n.literal(s.path[pos:end]); next != nil {
			if b := s.forward(next, depth+1, end+1); b != nil {
				return b
			}
		}
		if n.single != nil && end > pos {
			if b := s.forward(n.single, depth+1, end+1); b != nil {
				return b
			}
		}
	}
	if n.rest != nil {
		s.rest = pos
		return s.backward(n.rest, 0, s.end)
	}
	return nil
}

// backward searches below a node for the segments after "**". depth of them have been
// found, and the next one ends at end.
func (s *search) backward(n *node, depth, end int) *Binding {
	if end >= s.rest && (len(n.literals) > 0 || n.single != nil) {
		start := s.rest + strings.LastIndexByte(s.path[s.rest:end], '/') + 1
		s.tail[min(depth, maxSegments-1)] = newSpan(start, end)
		if next := n.literal(s.path[start:end]); next != nil {
			if b := s.backward(next, depth+1, start-1); b != nil {
				return b
			}
		}
		if n.single != nil && end > start {
			if b := s.backward(n.single, depth+1, start-1); b != nil {
				return b
			}
		}
	}
	return s.accept(n)
}

// literal returns the node after a segment of a path, which may have escapes.
func (n *node) literal(segment string) *node {
	if len(n.literals) == 0 || len(segment) > 3*maxTemplate {
		return nil
	}
	if strings.IndexByte(segment, '%') < 0 {
		return n.after(segment)
	}
	var buf [maxTemplate]byte
	decoded := unescapeTo(buf[:], segment)
	if n.index != nil {
		return n.index[string(decoded)] // without a copy
	}
	for i := range n.literals {
		if n.literals[i].text == string(decoded) {
			return n.literals[i].node
		}
	}
	return nil
}

// accept returns the binding of a node for the verbs of the search.
func (s *search) accept(n *node) *Binding {
	e := n.ending(s.verb)
	if e == nil {
		return nil
	}
	if s.all == nil {
		return e.choose(s.method)
	}
	for _, b := range e.bindings {
		*s.all = append(*s.all, b.Verb)
	}
	return nil
}

// choose returns the binding for an HTTP verb: its own, that of GET for HEAD, or that for
// every verb.
func (e *ending) choose(method string) *Binding {
	var get, every *Binding
	for _, b := range e.bindings {
		switch b.Verb {
		case method:
			return b
		case "GET":
			get = b
		case "*":
			every = b
		}
	}
	if method == "HEAD" && get != nil {
		return get
	}
	return every
}

// values appends the values of a template's variables.
func (s *search) values(t *Template, values []string) []string {
	if len(t.Captures) == 0 {
		return values
	}
	open := t.open()
	for _, c := range t.Captures {
		start, _ := s.bounds(t, open, c.Start)
		_, end := s.bounds(t, open, c.End-1)
		raw := ""
		if start < end {
			raw = s.path[start:end]
		}
		values = append(values, unescape(raw, t.multi(c)))
	}
	return values
}

// bounds returns where the segment of a path that matches a segment of a template starts
// and ends. The end of an empty "**" may be before its start.
func (s *search) bounds(t *Template, open, i int) (start, end int) {
	last := len(t.Segments) - 1
	switch {
	case i < open:
		return int(s.head[i].start), int(s.head[i].end)
	case i > open:
		return int(s.tail[last-i].start), int(s.tail[last-i].end)
	case open == last:
		return s.rest, s.end
	}
	return s.rest, int(s.tail[last-open-1].start) - 1
}
