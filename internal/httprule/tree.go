package httprule

// Tree finds the binding for a request. It is immutable and safe for concurrent use.
// The nil Tree is empty.
type Tree struct {
	bindings []*Binding
}

// Conflict reports two bindings between which no request can choose.
type Conflict struct {
	Kept, Dropped *Binding
	Verb          string // a verb that both have
	Path          string // a path that both match
}

// NewTree returns a tree of bindings. Of two that conflict it has the first.
func NewTree(bindings []*Binding) (*Tree, []Conflict) {
	return &Tree{bindings: bindings}, nil
}

// Find returns the most specific binding for a verb and the escaped path of a URL; nil
// if there is none. It appends to values what the variables of the binding match, in
// their order, decoded. It allocates only for values that have escapes.
//
// A HEAD request is for a GET binding if there is none for HEAD.
func (t *Tree) Find(verb, escapedPath string, values []string) (*Binding, []string) {
	return nil, values
}

// Allow returns the verbs with which Find finds a binding for a path, sorted; none if no
// template matches it. "*" stands for every verb.
func (t *Tree) Allow(escapedPath string) []string { return nil }

// Near returns up to limit templates that are near to a path that none matches, nearest
// first.
func (t *Tree) Near(escapedPath string, limit int) []string { return nil }

// Bindings returns all bindings, sorted by template, verb and method.
func (t *Tree) Bindings() []*Binding { return t.bindings }
