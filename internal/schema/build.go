package schema

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile/experimental/ir"

	"github.com/dyngate/dyngate/handlers/diag"
)

// build brings a touched node up to date. Its imports are up to date.
func (c *Compiler) build(ctx context.Context, n *node, g *graph) {
	if !n.dirty && g.current(n) {
		return // no import changed in a way that matters to it
	}
	before, last := n.ir, n.prior
	wasGood := n.file != nil && n.file.linked != nil
	now := origin{n.in, c.session, nil}
	for _, d := range g.needs(n) {
		now.basis = append(now.basis, d.version)
	}
	if n.compiling != nil && !n.began.same(now) {
		abandon(c, &n.compiling)
	}
	n.began = now
	made, err := c.compile(ctx, n, g)
	if err != nil && ctx.Err() != nil {
		n.dirty = true
		return
	}
	n.publish(made, !c.opts.DropComments, c.encodings)

	if wasGood && made == last && n.session == c.session && (before != nil || n.ir == nil) {
		// Only comments changed. Importers keep the old compiled file, which has the same meaning, so
		// that they are not built again.
		n.ir = before
	} else {
		n.version, n.session = c.versions.Add(1), c.session
	}
	n.basis = now.basis
	n.dirty = !n.ready || err != nil && !errors.Is(err, errTooLong)
}

// compiled is the result of compiling a node.
type compiled struct {
	ir     *ir.File
	linked *linked
	found  []*diag.Diagnostic
}

// compile collects the problems of a node, and links the node if it has none.
func (c *Compiler) compile(ctx context.Context, n *node, g *graph) (*linked, error) {
	n.own = slices.Clone(n.parsed)
	switch {
	case n.in.problem != nil:
		n.own = append(n.own, n.in.problem)
	case n.refused != "":
		n.own = append(n.own, problem(n.in.location, "%s", n.refused))
	case n.emptied():
		n.own = append(n.own, problem(n.in.location, "the file is empty now; what it declared before stays until it has content or is removed"))
	}
	if n.in.proto != nil {
		n.own = append(n.own, c.checkSetImports(n)...)
	}
	var out compiled
	var err error
	if n.refused == "" && (n.syntax != nil || n.in.proto != nil) {
		job, session := c.detach(n), c.session
		n.incomplete = job.incomplete
		var lang *ir.File
		if n.wantIR && n != g.lang {
			lang = g.lang.ir
		}
		out, err = await(ctx, c, n.in, &n.compiling, func() compiled { return job.run(session, lang) })
		if err != nil {
			out.found = append(out.found, problem(n.in.location, "%v", err))
		}
	}
	n.ir = out.ir
	n.own = atMost(append(n.own, out.found...), n.in.location)
	n.findBroken()
	return out.linked, err
}

// detach copies everything that compiling a node reads, because the node may change before
// compiling it ends.
func (c *Compiler) detach(n *node) *node {
	job := *n
	job.incomplete = false
	job.imports = make([]*importRef, len(n.imports))
	for i, ref := range n.imports {
		copied := *ref
		copied.err = c.unusable(ref)
		job.incomplete = job.incomplete || ref.public && (copied.err != nil || ref.node.incomplete)
		switch {
		case ref.cycle != nil:
			copied.node = nil // it is being built
		case ref.node != nil:
			to := *ref.node
			copied.node = &to
		}
		job.imports[i] = &copied
	}
	return &job
}

// run compiles a detached node.
func (n *node) run(session *ir.Session, lang *ir.File) (out compiled) {
	if n.wantIR {
		out.found = n.lower(session, lang)
		out.ir = n.ir
	}
	if diag.HasErrors(n.own) || diag.HasErrors(out.found) || n.importsBroken() {
		return out
	}
	var wrong []*diag.Diagnostic
	out.linked, wrong = n.link()
	out.found = append(out.found, wrong...)
	return out
}

// importsBroken reports whether a file that n imports has errors in its closure.
func (n *node) importsBroken() bool {
	return slices.ContainsFunc(n.deps(), func(d *node) bool { return !d.good() })
}

// onlyInheritedErrors reports whether all errors in n follow from those of its imports: n was good
// before they broke, and has not changed since. Showing them could hide the cause among thousands
// of consequences.
func (n *node) onlyInheritedErrors() bool {
	return n.goodIn == n.in && n.importsBroken() &&
		!slices.ContainsFunc(n.imports, func(ref *importRef) bool { return ref.node == nil || ref.cycle != nil })
}

// emptied reports whether a file that had declarations is empty now, as may happen while an editor
// writes it.
func (n *node) emptied() bool {
	if n.in.text == nil || strings.TrimSpace(n.in.text.Text()) != "" || n.prior == nil {
		return false
	}
	d := n.prior.desc
	return d.Services().Len()+d.Messages().Len()+d.Enums().Len()+d.Extensions().Len() > 0
}

// checkSetImports reports missing imports of a set's file. The compiler reads such a file only if
// source text imports it.
func (c *Compiler) checkSetImports(n *node) []*diag.Diagnostic {
	if n.wantIR {
		return nil
	}
	var out []*diag.Diagnostic
	optional := len(n.in.proto.GetDependency())
	for i, ref := range n.imports {
		switch {
		case ref.cycle != nil:
			out = append(out, problem(n.in.location, "%s", ref.cycleText()))
		case ref.node == nil && i < optional:
			out = append(out, problem(n.in.location, "imported file %s", c.notFound(ref.path)))
		}
	}
	return out
}

// findBroken collects the nodes with errors in n's import closure, at most maxDiagnostics.
func (n *node) findBroken() {
	n.broken = nil
	if diag.HasErrors(n.own) {
		n.broken = append(n.broken, n)
	}
	for _, d := range n.deps() {
		for _, b := range d.broken {
			if len(n.broken) == maxDiagnostics {
				return
			}
			if !slices.Contains(n.broken, b) {
				n.broken = append(n.broken, b)
			}
		}
	}
}
