package schema

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile/experimental/ast"
	"github.com/bufbuild/protocompile/experimental/ir"

	"github.com/dyngate/dyngate/handlers/diag"
)

// node holds what is known about one import path. It lives as long as the path is served or imported. Compile
// works on nodes under the Compiler's mutex.
type node struct {
	in *input

	// The results of parsing.
	syntax  *ast.File // nil if there is no text, or it could not be parsed at all
	imports []*importRef
	parsed  []*diag.Diagnostic
	ready   bool   // it has been parsed, if it could be
	refused string // why the compiler must not see it

	wantIR  bool     // the compiler must see it: it is source text, or source text imports it
	dirty   bool     // its own text, or a file that its imports name, changed since it was built
	touched bool     // it is dirty, or something in its import closure is: it may have to be built
	basis   []uint64 // the versions of its imports that it was built from
	version uint64   // changes when the file changes for its importers
	mark    visit

	seenFrom *node // the last node that it was counted for

	// The results of compiling.
	ir         *ir.File // as importers see it; nil if they cannot use it
	incomplete bool     // names that its public imports should bring are missing
	own        []*diag.Diagnostic
	broken     []*node // the nodes with errors in the import closure, which includes this node
	file       *File
	prior      *linked // the last good one, also of an earlier input
	goodIn     *input  // the last input that was good

	session *ir.Session // of version

	// Tasks that still run, and what they started from.
	parsing   *task[parsed]
	compiling *task[compiled]
	began     origin
}

// origin is what compiling a node depends on.
type origin struct {
	in      *input
	session *ir.Session
	basis   []uint64
}

func (o origin) same(p origin) bool {
	return o.in == p.in && o.session == p.session && slices.Equal(o.basis, p.basis)
}

// importRef is one import of a file, in the order of its declarations.
type importRef struct {
	path   string // canonical; empty if it is malformed
	public bool
	decl   ast.DeclImport
	node   *node   // nil if nothing has this path
	cycle  []*node // this import closes a cycle: the first nodes of it, from the imported one
	length int     // of the cycle
	err    error   // why the compiler cannot use it; set before the compiler runs
	was    []*node // cycle, in the last Compile
}

func (n *node) path() string { return n.in.path }
func (n *node) good() bool   { return len(n.broken) == 0 }

// deps returns what must be compiled before n.
func (n *node) deps() []*node {
	var out []*node
	for _, ref := range n.imports {
		if ref.node != nil && ref.cycle == nil {
			out = append(out, ref.node)
		}
	}
	return out
}

type visit int8

const (
	unseen visit = iota
	active
	done
)

// graph holds the nodes of one Compile.
type graph struct {
	nodes  map[string]*node
	served []*node // sorted by path
	order  []*node // imported ones first
	lang   *node   // descriptor.proto, which all others depend on
}

// discover finds everything that the served inputs import, and parses what is new. It takes over the nodes of the
// old graph, and marks them dirty if their input or an import changed.
func (c *Compiler) discover(ctx context.Context, served []*input) (*graph, error) {
	g := &graph{nodes: make(map[string]*node, len(c.nodes))}
	var fresh []*node
	get := func(p string) *node {
		if n := g.nodes[p]; n != nil {
			return n
		}
		in := c.resolve(p)
		if in == nil {
			return nil
		}
		n := c.nodes[p]
		if n == nil {
			n = new(node)
		}
		if n.in != in {
			c.replace(n, in)
		}
		g.nodes[p] = n
		fresh = append(fresh, n)
		return n
	}
	g.lang = get(descriptorPath)
	for _, in := range served {
		g.served = append(g.served, get(in.path))
	}
	for len(fresh) > 0 {
		batch := fresh
		fresh = nil
		if err := c.parse(ctx, batch); err != nil {
			return nil, err
		}
		for _, n := range batch {
			n.mark = unseen
			n.connect(get)
		}
	}
	if err := c.outlineSets(ctx, g); err != nil {
		return nil, err
	}
	g.bound(c.opts.Limits)
	g.sort()
	return g, nil
}

// replace gives the node another input. The previous result is kept, so that it can be reused if the meaning
// did not change.
func (c *Compiler) replace(n *node, in *input) {
	abandon(c, &n.parsing)
	n.in, n.dirty, n.wantIR = in, true, n.wantIR || in.text != nil
	n.syntax, n.imports, n.parsed, n.ready = nil, nil, nil, false
}

// connect sets the nodes that a node's imports name now.
func (n *node) connect(get func(string) *node) {
	for _, ref := range n.imports {
		var to *node
		if ref.path != "" {
			to = get(ref.path)
		}
		if ref.node != to {
			n.dirty = true
		}
		ref.node, ref.cycle, ref.was = to, nil, ref.cycle
	}
}

// outlineSets writes source text for those files of descriptor sets that source text imports: the compiler
// reads only text.
func (c *Compiler) outlineSets(ctx context.Context, g *graph) error {
	var work, wanted []*node
	for _, n := range g.nodes {
		if n.in.text != nil {
			work = append(work, n)
		}
	}
	for len(work) > 0 {
		n := work[len(work)-1]
		work = work[:len(work)-1]
		for _, ref := range n.imports {
			to := ref.node
			if to == nil || to.in.proto == nil || to.mark == done {
				continue
			}
			to.mark = done
			work = append(work, to)
			if !to.wantIR {
				to.wantIR, to.dirty = true, true
				wanted = append(wanted, to)
			}
		}
	}
	for _, n := range g.nodes {
		n.mark = unseen
	}
	return c.parse(ctx, wanted)
}

// sort orders the nodes, finds cycles, and marks the nodes that a change touches.
func (g *graph) sort() {
	s := sorter{graph: g}
	for _, n := range append(g.served, g.lang) {
		if n.mark == unseen {
			s.visit(n)
		}
	}
}

// sorter is a depth-first walk along imports.
type sorter struct {
	*graph
	path []*node // from what is served to the node being visited
}

func (s *sorter) visit(n *node) {
	n.mark = active
	s.path = append(s.path, n)
	if n != s.lang && n.wantIR && s.lang.mark == unseen {
		s.visit(s.lang)
	}
	for _, ref := range n.imports {
		switch to := ref.node; {
		case to == nil:
		case to.mark == active:
			cycle := s.path[slices.Index(s.path, to):]
			ref.cycle, ref.length = slices.Clone(cycle[:min(len(cycle), maxCycle)]), len(cycle)
			n.dirty = n.dirty || to.dirty || !slices.Equal(ref.cycle, ref.was)
		default:
			if to.mark == unseen {
				s.visit(to)
			}
			n.dirty = n.dirty || ref.was != nil
		}
	}
	n.touched = n.dirty || !s.current(n)
	for _, d := range s.needs(n) {
		n.touched = n.touched || d.touched
	}
	s.path = s.path[:len(s.path)-1]
	n.mark = done
	s.order = append(s.order, n)
}

// needs returns what must be built before n.
func (g *graph) needs(n *node) []*node {
	deps := n.deps()
	if n.wantIR && n != g.lang {
		deps = append(deps, g.lang)
	}
	return deps
}

// current reports whether n was built from the current versions of its imports.
func (g *graph) current(n *node) bool {
	return slices.EqualFunc(g.needs(n), n.basis, func(d *node, version uint64) bool { return d.version == version })
}

// maxCycle is how many files of an import cycle are named.
const maxCycle = 10

// cycleText describes an import cycle to the user.
func (r *importRef) cycleText() string {
	var b strings.Builder
	b.WriteString("import cycle: ")
	for _, n := range r.cycle {
		b.WriteString(n.path() + " -> ")
	}
	if more := r.length - len(r.cycle); more > 0 {
		fmt.Fprintf(&b, "%d more files -> ", more)
	}
	b.WriteString(r.cycle[0].path())
	return b.String()
}
