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

// node holds the state of one import path. It exists as long as the path is served or imported.
// Compile uses nodes under the Compiler's mutex.
type node struct {
	in *input

	// The results of parsing.
	syntax  *ast.File // nil if there is no text, or it could not be parsed at all
	imports []*importRef
	parsed  []*diag.Diagnostic
	ready   bool   // parsed, or parsing failed
	refused string // why it must not be compiled

	wantIR  bool     // needs an ir.File: it is source text, or source text imports it
	dirty   bool     // its own text, or a file that its imports name, changed since it was built
	touched bool     // a node in its import closure, which includes this node, is dirty: it may have to be built
	basis   []uint64 // the versions of its imports that it was built from
	version uint64   // changes when the file changes for its importers
	mark    visit

	seenFrom *node // the last node for which it was counted

	// The results of compiling.
	ir         *ir.File // for importers; nil if they cannot use it
	incomplete bool     // names of its public imports are missing
	own        []*diag.Diagnostic
	broken     []*node // the nodes with errors in the import closure, which includes this node
	file       *File
	prior      *linked // the last good one, maybe of an earlier input
	goodIn     *input  // the last input that was good

	session *ir.Session // of version

	// Running tasks, and the state they started from.
	parsing   *task[parsed]
	compiling *task[compiled]
	began     origin
}

// origin holds everything that compiling a node depends on.
type origin struct {
	in      *input
	session *ir.Session
	basis   []uint64
}

func (o origin) same(p origin) bool {
	return o.in == p.in && o.session == p.session && slices.Equal(o.basis, p.basis)
}

// importRef is an import of a file.
type importRef struct {
	path   string // canonical; empty if it is malformed
	public bool
	decl   ast.DeclImport
	node   *node   // nil if nothing has this path
	cycle  []*node // if this import closes a cycle: the cycle's first nodes, from the imported one
	length int     // of the cycle
	err    error   // why the compiler cannot use it; set before the compiler runs
	was    []*node // cycle, in the last Compile
}

func (n *node) path() string { return n.in.path }
func (n *node) good() bool   { return len(n.broken) == 0 }

// deps returns the nodes that must be compiled before n.
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
	order  []*node // imports before importers
	lang   *node   // descriptor.proto, which all others depend on
}

// discover finds all direct and indirect imports of the served inputs, and parses the new ones. It
// reuses the nodes of the old graph, and marks them dirty if their input or an import changed.
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

// replace sets the node's input. It keeps the previous result, which is reused if the meaning did
// not change.
func (c *Compiler) replace(n *node, in *input) {
	abandon(c, &n.parsing)
	n.in, n.dirty, n.wantIR = in, true, n.wantIR || in.text != nil
	n.syntax, n.imports, n.parsed, n.ready = nil, nil, nil, false
}

// connect sets the nodes of a node's imports.
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

// outlineSets writes source text for the files of descriptor sets that source text imports, because
// the compiler reads only text.
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
	path []*node // from a served node to the one being visited
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

// needs returns the nodes that must be built before n.
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

// maxCycle limits how many files of an import cycle are named.
const maxCycle = 10

// cycleText returns an error text for an import cycle.
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
