package httprule

import (
	"cmp"
	"slices"
	"strings"
)

// Tree finds the binding for a request. It is immutable and safe for concurrent use.
// The nil Tree is empty.
type Tree struct {
	root     *node
	verbs    map[string]bool // of the templates
	bindings []*Binding
}

// node is a place in the tree: the templates that begin with the same segments. Below the
// node of a "**", which matches any number of segments, templates are read backwards, from
// the end of the path.
type node struct {
	literals []literal
	index    map[string]*node // of literals, if there are many
	single   *node            // after "*"
	rest     *node            // after "**"
	ends     []ending         // of the templates that are complete here
}

// literal is a text and the node after it.
type literal struct {
	text string
	node *node
}

// few literals are found faster without a map.
const few = 6

// after returns the node after a literal, or nil.
func (n *node) after(text string) *node {
	if n.index != nil {
		return n.index[text]
	}
	for i := range n.literals {
		if n.literals[i].text == text {
			return n.literals[i].node
		}
	}
	return nil
}

// add adds a literal.
func (n *node) add(text string, next *node) {
	n.literals = append(n.literals, literal{text, next})
	if n.index != nil {
		n.index[text] = next
	} else if len(n.literals) > few {
		n.index = make(map[string]*node, 2*len(n.literals))
		for _, l := range n.literals {
			n.index[l.text] = l.node
		}
	}
}

// ending is what the templates with one verb have at a node.
type ending struct {
	verb     string     // of the templates
	bindings []*Binding // one for each HTTP verb
}

// Conflict reports two bindings that match the same requests.
type Conflict struct {
	Kept, Dropped *Binding
	Path          string // a path that both match
}

// DifferentHosts reports whether the services of the bindings are for different hosts, by
// their option google.api.default_host.
func (c Conflict) DifferentHosts() bool {
	kept, dropped := c.Kept.hostOf(), c.Dropped.hostOf()
	return kept != "" && dropped != "" && kept != dropped
}

// NewTree returns a tree of bindings. Of two that conflict it has the first.
func NewTree(bindings []*Binding) (*Tree, []Conflict) {
	t := &Tree{root: new(node), verbs: make(map[string]bool), bindings: make([]*Binding, 0, len(bindings))}
	var conflicts []Conflict
	for _, b := range bindings {
		at := t.root.grow(b.Template).end(b.Template.Verb)
		i := slices.IndexFunc(at.bindings, func(o *Binding) bool { return o.Verb == b.Verb })
		switch {
		case i < 0:
			at.bindings = append(at.bindings, b)
			t.bindings = append(t.bindings, b)
			t.verbs[b.Template.Verb] = true
		case !at.bindings[i].sameFields(b):
			conflicts = append(conflicts, Conflict{at.bindings[i], b, b.Template.example()})
		}
	}
	slices.SortFunc(t.bindings, compare)
	return t, conflicts
}

func compare(a, b *Binding) int {
	if c := cmp.Or(strings.Compare(a.Template.text, b.Template.text), strings.Compare(a.Verb, b.Verb)); c != 0 {
		return c
	}
	return strings.Compare(string(a.Method.FullName()), string(b.Method.FullName()))
}

// Equal reports whether two bindings mean the same. Their positions do not count.
func (b *Binding) Equal(o *Binding) bool {
	return b.Verb == o.Verb && b.Template.text == o.Template.text && b.sameFields(o)
}

// sameFields is Equal for two bindings of the same place in the tree.
func (b *Binding) sameFields(o *Binding) bool {
	return b.Method == o.Method && b.Body == o.Body && b.Response == o.Response && b.Success == o.Success &&
		slices.Equal(b.Template.Captures, o.Template.Captures)
}

// grow returns the node where a template ends, and makes what is missing on the way.
func (n *node) grow(t *Template) *node {
	for s := range t.route() {
		next := n.child(s)
		if next == nil {
			next = new(node)
			switch s.Kind {
			case Single:
				n.single = next
			case Multi:
				n.rest = next
			default:
				n.add(s.Text, next)
			}
		}
		n = next
	}
	return n
}

func (n *node) child(s Segment) *node {
	switch s.Kind {
	case Single:
		return n.single
	case Multi:
		return n.rest
	}
	return n.after(s.Text)
}

// route yields the segments in the order of the tree: those after "**" backwards.
func (t *Template) route() func(yield func(Segment) bool) {
	return func(yield func(Segment) bool) {
		open := t.open()
		for _, s := range t.Segments[:min(open+1, len(t.Segments))] {
			if !yield(s) {
				return
			}
		}
		for i := len(t.Segments) - 1; i > open; i-- {
			if !yield(t.Segments[i]) {
				return
			}
		}
	}
}

// ending returns the node's ending for the verb of a template, or nil.
func (n *node) ending(verb string) *ending {
	for i := range n.ends {
		if n.ends[i].verb == verb {
			return &n.ends[i]
		}
	}
	return nil
}

// end is ending for a tree that grows.
func (n *node) end(verb string) *ending {
	if e := n.ending(verb); e != nil {
		return e
	}
	n.ends = append(n.ends, ending{verb: verb})
	return &n.ends[len(n.ends)-1]
}

// Has reports whether the tree has a binding of the same method for the same requests.
func (t *Tree) Has(b *Binding) bool {
	if t == nil {
		return false
	}
	n := t.root
	for s := range b.Template.route() {
		if n = n.child(s); n == nil {
			return false
		}
	}
	e := n.ending(b.Template.Verb)
	return e != nil && slices.ContainsFunc(e.bindings, func(o *Binding) bool {
		return o.Verb == b.Verb && o.Method.FullName() == b.Method.FullName()
	})
}

// Bindings returns all bindings, sorted by template, verb and method.
func (t *Tree) Bindings() []*Binding {
	if t == nil {
		return nil
	}
	return t.bindings
}

// example returns a path that the template matches.
func (t *Template) example() string {
	var b strings.Builder
	for _, s := range t.Segments {
		text := "x"
		if s.Kind == Literal {
			text = escape(s.Text)
		}
		b.WriteString("/" + text)
	}
	if b.Len() == 0 {
		b.WriteByte('/')
	}
	if t.Verb != "" {
		b.WriteString(":" + escape(t.Verb))
	}
	return b.String()
}
