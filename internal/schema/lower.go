package schema

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile/experimental/ast"
	"github.com/bufbuild/protocompile/experimental/ir"
	"github.com/bufbuild/protocompile/experimental/parser"
	"github.com/bufbuild/protocompile/experimental/report"
	"github.com/bufbuild/protocompile/experimental/source"

	"github.com/dyngate/dyngate/handlers/diag"
)

// parsed is the result of parsing a file.
type parsed struct {
	syntax *ast.File // nil if parsing failed
	found  []*diag.Diagnostic
}

// parse parses the nodes that have not been parsed yet.
func (c *Compiler) parse(ctx context.Context, nodes []*node) error {
	return parallel(ctx, nodes, func(n *node) {
		defer func() { c.opts.Progress(int(c.read.Add(1)), 0) }()
		switch {
		case n.in.text != nil && !n.ready:
			c.parseText(ctx, n)
		case n.in.proto != nil && n.imports == nil:
			n.ready = true
			n.importsOfSet()
		}
		if n.in.proto != nil && n.wantIR && n.syntax == nil && (n.parsed == nil || n.parsing != nil) {
			c.parseOutline(ctx, n)
		}
	})
}

func (c *Compiler) parseText(ctx context.Context, n *node) {
	path, text := n.in.path, n.in.text
	out, err := await(ctx, c, n.in, &n.parsing, func() parsed {
		c.parsedBytes.Add(int64(len(text.Text())))
		return c.parseFile(path, text, c.opts.Limits)
	})
	n.setParsed(ctx, out, err)
	n.readImports()
}

// setParsed stores the result of parsing, or its error.
func (n *node) setParsed(ctx context.Context, out parsed, err error) {
	if ctx.Err() != nil && err != nil {
		return
	}
	n.syntax, n.parsed = out.syntax, out.found
	n.dirty = true
	n.ready = err == nil || errors.Is(err, errTooLong)
	if err != nil {
		n.parsed = []*diag.Diagnostic{problem(n.in.location, "%v", err)}
	}
}

// parseText parses a text unless it exceeds a limit.
func parseText(path string, text *source.File, lim Limits) (out parsed) {
	at, why, cuts := scan(text.Text(), lim.NameBytes)
	if at >= 0 {
		return parsed{found: []*diag.Diagnostic{pointed(text.Span(at, at+1), "%s", why)}}
	}
	r := new(report.Report)
	defer func() {
		if p := recover(); p != nil {
			out = parsed{found: append(translate(r, text.Path()), panicked(text.Path(), p))}
		}
	}()
	if len(cuts) > 1 {
		if found := parsePieces(path, text, cuts); found != nil {
			return parsed{found: found}
		}
	}
	out.syntax, _ = parser.Parse(path, text, r)
	if i := slices.IndexFunc(r.Diagnostics, isUnknownEdition); i >= 0 {
		// All other errors follow from parsing the file as another edition.
		out.syntax, r.Diagnostics = nil, r.Diagnostics[i:i+1]
	}
	r.Diagnostics = slices.DeleteFunc(r.Diagnostics, isReservedName)
	out.found = translate(r, text.Path())
	return out
}

func isUnknownEdition(d report.Diagnostic) bool {
	for _, start := range []string{"unrecognized `edition`", "unrecognized `syntax`", "sorry, Edition"} {
		if strings.HasPrefix(d.Message(), start) {
			return true
		}
	}
	return false
}

func panicked(location string, p any) *diag.Diagnostic {
	return problem(location, "the compiler failed on this file: %v", p)
}

func (n *node) readImports() {
	if n.syntax == nil {
		return
	}
	for _, decl := range enumerate(n.syntax.Imports()) {
		ref := &importRef{decl: decl, public: decl.IsPublic()}
		if lit := decl.ImportPath().AsLiteral().AsString(); !lit.IsZero() && lit.Text() != "" {
			ref.path = ir.CanonicalizeFilePath(lit.Text())
		}
		n.imports = append(n.imports, ref)
	}
}

func enumerate[T any](seq iter.Seq[T]) iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		i := 0
		for v := range seq {
			if !yield(i, v) {
				return
			}
			i++
		}
	}
}

func (n *node) importsOfSet() {
	for _, p := range n.in.proto.GetDependency() {
		n.imports = append(n.imports, &importRef{path: p})
	}
	for _, i := range n.in.proto.GetPublicDependency() {
		if int(i) < len(n.imports) && i >= 0 {
			n.imports[i].public = true
		}
	}
	for _, p := range n.in.proto.GetOptionDependency() {
		n.imports = append(n.imports, &importRef{path: p})
	}
}

// parseOutline parses the source text written for a file of a descriptor set.
func (c *Compiler) parseOutline(ctx context.Context, n *node) {
	in := n.in
	out, err := await(ctx, c, n.in, &n.parsing, func() parsed {
		out := parseText(in.path, source.NewFile(in.location, outline(in.proto)), c.opts.Limits)
		out.found = errorsOf(out.found)
		return out
	})
	n.setParsed(ctx, out, err)
	if n.syntax == nil {
		return
	}
	// Errors about cycles point at the import declarations, and the compiler counts them.
	for i, decl := range enumerate(n.syntax.Imports()) {
		if i < len(n.imports) {
			n.imports[i].decl = decl
		}
	}
}

func errorsOf(list []*diag.Diagnostic) []*diag.Diagnostic {
	var out []*diag.Diagnostic
	for _, d := range list {
		if d.Severity == diag.Error {
			out = append(out, d)
		}
	}
	return out
}

// lower runs the semantic analysis on a node whose imports are compiled. It returns the
// problems.
func (n *node) lower(session *ir.Session, lang *ir.File) (found []*diag.Diagnostic) {
	n.ir = nil
	if n.syntax == nil {
		return nil
	}
	r := new(report.Report)
	r.SuppressWarnings = n.in.builtin || n.in.proto != nil || n.importsBroken()
	defer func() {
		if p := recover(); p != nil {
			n.ir = nil
			found = append(translate(r, n.in.location), panicked(n.in.location, p))
		}
	}()
	lower := func(syntax *ast.File, r *report.Report) *ir.File {
		file, _ := session.Lower(syntax, r, func(i int, _ string, _ ast.DeclImport) (*ir.File, error) {
			switch {
			case i < 0:
				return lang, nil
			case n.imports[i].err != nil:
				return nil, n.imports[i].err
			}
			return n.imports[i].node.ir, nil
		})
		return file
	}
	n.ir = lower(n.syntax, r)
	overrule(n.ir, r)
	if file, again := repair(n.in.path, n.ir, r, lower); file != nil {
		n.ir, r = file, again
	}
	if slices.ContainsFunc(r.Diagnostics, isPanic) {
		n.ir = nil // incomplete: it would cause errors in importers
		if diag.HasErrors(n.parsed) {
			// The parser reported the error that made the compiler fail.
			r.Diagnostics = slices.DeleteFunc(r.Diagnostics, isPanic)
		}
	}
	if n.onlyInheritedErrors() {
		return nil
	}
	if n.namesMissing() {
		r.Diagnostics = slices.DeleteFunc(r.Diagnostics, isUnresolved)
	}
	return translate(r, n.in.location)
}

// isUnresolved reports whether an error is about a name that no file declares, or follows from one.
func isUnresolved(d report.Diagnostic) bool {
	m := d.Message()
	return strings.HasPrefix(m, "cannot find `") && strings.HasSuffix(m, "` in this scope") || strings.HasSuffix(m, " type ``")
}

// namesMissing reports whether the compiler lacks a file whose names n may use. Errors about
// unknown names probably follow from that, so they are not shown.
func (n *node) namesMissing() bool {
	return slices.ContainsFunc(n.imports, func(ref *importRef) bool {
		return ref.err != nil || ref.node != nil && ref.node.incomplete
	})
}

func isPanic(d report.Diagnostic) bool { return d.Level() == report.ICE }

// unusable returns an error if the compiler cannot use an import.
func (c *Compiler) unusable(ref *importRef) error {
	switch {
	case ref.cycle != nil:
		return cycleError(ref)
	case ref.node == nil:
		return errors.New(c.notFound(ref.path))
	case ref.node.in.problem != nil:
		return fmt.Errorf("%s: %s", ref.node.in.location, ref.node.in.problem.Message)
	case ref.node.ir == nil:
		return fmt.Errorf("%s could not be compiled", ref.node.in.location)
	}
	return nil
}

// notFound returns the error text for a missing import: where it was searched, and which
// folder to serve if that would help.
func (c *Compiler) notFound(path string) string {
	names := make([]string, 0, len(c.readers)+1)
	for _, r := range c.readers {
		names = append(names, r.name())
	}
	names = append(names, "the files that ship with dyngate")
	text := fmt.Sprintf("%q does not exist; searched %s", path, strings.Join(names, ", "))
	switch file, root, instead := c.missing.find(path); {
	case file == "":
		return text
	case instead == "":
		return fmt.Sprintf("%s; found %s: serve %s too", text, file, root)
	default:
		return fmt.Sprintf("%s; found %s: serve %s instead of %s", text, file, root, instead)
	}
}

// cycleError returns an error with the import declarations of a cycle, so that the compiler's
// error shows them.
func cycleError(ref *importRef) error {
	if ref.length > len(ref.cycle) {
		return errors.New(ref.cycleText())
	}
	e := &ir.ErrCycle{Cycle: []ast.DeclImport{ref.decl}}
	for i, n := range ref.cycle[:len(ref.cycle)-1] {
		at := indexImport(n, ref.cycle[i+1])
		if at < 0 || n.imports[at].decl.IsZero() {
			return errors.New(ref.cycleText())
		}
		e.Cycle = append(e.Cycle, n.imports[at].decl)
	}
	e.Cycle = append(e.Cycle, ref.decl)
	return e
}

func indexImport(from, to *node) int {
	for i, ref := range from.imports {
		if ref.node == to {
			return i
		}
	}
	return -1
}
