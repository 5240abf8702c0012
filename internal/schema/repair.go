package schema

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/bufbuild/protocompile/experimental/ast"
	"github.com/bufbuild/protocompile/experimental/ir"
	"github.com/bufbuild/protocompile/experimental/parser"
	"github.com/bufbuild/protocompile/experimental/report"
	"github.com/bufbuild/protocompile/experimental/seq"
	"github.com/bufbuild/protocompile/experimental/source"
)

// maxRepair limits the bytes that repair adds to a text.
const maxRepair = 64 << 10

// edit replaces bytes of a text.
type edit struct {
	start, end int
	text       string
}

// maxRounds limits how often a text is repaired: the compiler may find a problem inside an option
// only after the problems around it are repaired.
const maxRounds = 5

// repair handles files whose only errors are names in options that the compiler resolves
// differently from protoc. It rewrites those names so that both find the same declaration, and
// compiles the file again. It returns the result if that has no errors, and nil otherwise. Columns
// after such a name, on its line, are not exact.
func repair(path string, file *ir.File, r *report.Report, lower func(*ast.File, *report.Report) *ir.File) (*ir.File, *report.Report) {
	for range maxRounds {
		edits := repairs(file, r)
		if len(edits) == 0 {
			break
		}
		again := &report.Report{Options: r.Options}
		syntax, _ := parser.Parse(path, edited(file.AST().Span().File, edits), new(report.Report))
		file, r = lower(syntax, again), again
		overrule(file, r)
		if !slices.ContainsFunc(r.Diagnostics, isError) {
			return file, r
		}
	}
	return nil, nil
}

func edited(old *source.File, edits []edit) *source.File {
	var b strings.Builder
	done := 0
	for _, e := range edits {
		b.WriteString(old.Text()[done:e.start] + e.text)
		done = e.end
	}
	return source.NewFile(old.Path(), b.String()+old.Text()[done:])
}

// repairs returns the edits for a file, in order; none if they would not help.
func repairs(file *ir.File, r *report.Report) (edits []edit) {
	if file == nil {
		return nil
	}
	added := 0
	for i := range r.Diagnostics {
		d := &r.Diagnostics[i]
		if !isError(*d) {
			continue
		}
		e, ok := repairOne(file, d)
		if added += len(e.text); !ok || len(edits) == maxDiagnostics || added > maxRepair {
			return nil
		}
		edits = append(edits, e)
	}
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	for i := range edits[min(1, len(edits)):] {
		if edits[i].end > edits[i+1].start || edits[i].start == edits[i+1].start {
			return nil
		}
	}
	return edits
}

func isError(d report.Diagnostic) bool { return d.Level() <= report.Error }

func repairOne(file *ir.File, d *report.Diagnostic) (e edit, ok bool) {
	at := d.Primary()
	if at.IsZero() || at.Path() != file.AST().Span().Path() {
		return e, false
	}
	if name, found := strings.CutPrefix(d.Message(), "cannot resolve message field name for `"); found {
		// A group is named after its type; the field name differs only in case.
		ty := file.FindSymbol(ir.FullName(strings.TrimSuffix(name, "`"))).AsType()
		key := at.Text()
		if i := strings.IndexFunc(key, func(c rune) bool { return c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c) }); i >= 0 {
			key = key[:i]
		}
		lower := strings.ToLower(key)
		if field := ty.MemberByName(lower); !field.IsZero() && field.IsGroup() && field.Element().Name() == key {
			return edit{at.Start, at.Start + len(key), lower}, true
		}
		return e, false
	}
	first, _, _ := strings.Cut(at.Text(), ".")
	scope, ok := scopeOfOption(file, d.Message(), at)
	for ok && first != "" {
		full := ir.FullName(first)
		if scope != "" {
			full = scope + "." + full
		}
		if sym := file.FindSymbol(full); !sym.IsZero() {
			return edit{at.Start, at.Start, "." + strings.TrimSuffix(string(full), first)}, true
		}
		if ok = scope != ""; ok {
			scope = scope.Parent()
		}
	}
	return e, false
}

// scopeOfOption returns the scope in which protoc looks up an option that the compiler did not
// find: that of the declaration with the option.
func scopeOfOption(file *ir.File, message string, at source.Span) (scope ir.FullName, ok bool) {
	switch {
	case strings.HasPrefix(message, "expected message extension, found service method"):
		for s := range seq.Values(file.Services()) {
			for m := range seq.Values(s.Methods()) {
				if inside(at, m.AST()) {
					return "", false
				}
			}
			if inside(at, s.AST()) {
				return s.FullName().Parent(), true
			}
		}
	case strings.HasPrefix(message, "cannot find "):
		for ty := range seq.Values(file.AllTypes()) {
			for o := range seq.Values(ty.Oneofs()) {
				if inside(at, o.AST()) {
					return ty.FullName(), true
				}
			}
		}
	}
	return "", false
}

func inside(at source.Span, decl source.Spanner) bool {
	s := decl.Span()
	return s.Start <= at.Start && at.End <= s.End
}
