package schema

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile/experimental/report"
	"github.com/bufbuild/protocompile/experimental/source"
	"github.com/bufbuild/protocompile/experimental/source/length"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/handlers/diag"
)

// problem returns an error about a whole file.
func problem(path, format string, args ...any) *diag.Diagnostic {
	return plain(diag.Error, path, format, args...)
}

func plain(severity diag.Severity, path, format string, args ...any) *diag.Diagnostic {
	return diag.New(severity, diag.Position{Path: path}, format, args...)
}

// pointed returns an error about a span of source text.
func pointed(at source.Span, format string, args ...any) *diag.Diagnostic {
	var r report.Report
	r.Errorf(format, args...).Apply(report.Snippet(at))
	return translate(&r, at.Path())[0]
}

// Diagnose returns a diagnostic about a declaration of this file, with its
// position if that is known.
func (f *File) Diagnose(severity diag.Severity, d protoreflect.Descriptor, format string, args ...any) *diag.Diagnostic {
	out := plain(severity, f.Location(), format, args...)
	if file := f.source.Load(); file != nil {
		if at, ok := definition(file, string(d.FullName())); ok {
			out = diagnoseAt(at, out)
		}
	}
	return out
}

// maxDiagnostics limits the diagnostics of one file. Nobody reads more, and each takes time and
// memory to render.
const maxDiagnostics = 100

// translate returns the compiler's diagnostics about the file at path: at most maxDiagnostics,
// the most severe first, and the number of omitted ones.
func translate(r *report.Report, path string) []*diag.Diagnostic {
	first := r.Diagnostics
	rest := 0
	if len(first) > maxDiagnostics {
		first, rest = firstOf(first)
	}
	shown := report.Report{Options: r.Options, Diagnostics: first}
	shown.Canonicalize()
	out := make([]*diag.Diagnostic, 0, len(first)+1)
	long := make(map[*source.File]bool) // texts with long lines
	for i := range shown.Diagnostics {
		d := &shown.Diagnostics[i]
		file := d.Primary().File
		if _, known := long[file]; !known {
			long[file] = file == nil || hasLongLine(file.Text())
		}
		if d.Level() != report.Remark {
			out = append(out, translateOne(d, path, long[file]))
		}
	}
	if rest > 0 {
		out = append(out, leftOut(out[len(out)-1].Severity, path, rest))
	}
	return out
}

// firstOf returns the first maxDiagnostics of a report, errors before all others, and the
// number of the rest. It does not sort the whole report, which takes seconds if it is large.
func firstOf(list []report.Diagnostic) (first []report.Diagnostic, rest int) {
	type key struct {
		span source.Span
		tag  string
	}
	last := make(map[key]int) // only one with the same tag and place counts
	order := make([]int, 0, len(list))
	for i := range list {
		d := &list[i]
		if d.Level() == report.Remark {
			continue
		}
		if d.Tag() != "" {
			k := key{d.Primary(), d.Tag()}
			if _, ok := last[k]; ok {
				last[k] = i
				continue
			}
			last[k] = i
		}
		order = append(order, i)
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := &list[i], &list[j]
		return cmp.Or(cmp.Compare(severityOf(a), severityOf(b)), cmp.Compare(a.Primary().Start, b.Primary().Start), cmp.Compare(i, j))
	})
	for _, i := range order[:min(len(order), maxDiagnostics)] {
		if d := &list[i]; d.Tag() != "" {
			i = last[key{d.Primary(), d.Tag()}]
		}
		first = append(first, list[i])
	}
	return first, len(order) - len(first)
}

func severityOf(d *report.Diagnostic) diag.Severity {
	switch {
	case d.Tag() == tagJSONName && d.Level() == report.Warning:
		return diag.Warning
	case d.Level() >= report.Warning:
		return diag.Hint
	}
	return diag.Error
}

func translateOne(d *report.Diagnostic, path string, longLines bool) *diag.Diagnostic {
	out := &diag.Diagnostic{Severity: severityOf(d), Position: diag.Position{Path: d.File()}, Message: d.Message()}
	if out.Path == "" {
		out.Path = path
	}
	if d.Level() == report.ICE {
		// The compiler's stack trace does not help the author of the file.
		out.Message = "the compiler failed on this file: " + strings.Join(d.Notes(), "; ")
	}
	if at := d.Primary(); !at.IsZero() {
		start := at.Location(min(at.Start, len(at.File.Text())), length.Runes)
		out.Line, out.Column = start.Line, start.Column
	}
	out.Message = diag.Clip(out.Message)
	out.Text = picture(d, out, longLines)
	return out
}

// atMost returns the first maxDiagnostics of a file's diagnostics, and a diagnostic with the
// number of omitted ones, those omitted earlier included.
func atMost(list []*diag.Diagnostic, path string) []*diag.Diagnostic {
	kept := make([]*diag.Diagnostic, 0, min(len(list), maxDiagnostics+1))
	unshown := 0
	for _, d := range list {
		switch {
		case d.Omitted > 0:
			unshown += d.Omitted
		case len(kept) < maxDiagnostics:
			kept = append(kept, d)
		default:
			unshown++
		}
	}
	if unshown > 0 {
		kept = append(kept, leftOut(kept[len(kept)-1].Severity, path, unshown))
	}
	return kept
}

// leftOut returns a diagnostic for n omitted ones.
func leftOut(severity diag.Severity, path string, n int) *diag.Diagnostic {
	d := plain(severity, path, "%d more are not shown", n)
	d.Omitted = n
	return d
}
