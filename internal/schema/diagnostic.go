package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile/experimental/report"
	"github.com/bufbuild/protocompile/experimental/source"
	"github.com/bufbuild/protocompile/experimental/source/length"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Severity says whether a diagnostic keeps a file from being served.
type Severity int

// The severities, the graver one first.
const (
	Error   Severity = iota
	Warning          // what is served may not be what its author expects
	Hint             // the compiler's opinion on style
)

func (s Severity) String() string {
	return [...]string{"error", "warning", "hint"}[s]
}

// Diagnostic is one thing that is wrong, or doubtful, in a schema.
type Diagnostic struct {
	Severity Severity
	Path     string // the file as the user names it, on disk
	Line     int    // from 1; 0 if it concerns the whole file
	Column   int    // from 1, in characters; 0 if it concerns the whole file
	Message  string
	Text     string // in full: message, source line, caret and notes; no colours

	passing bool
}

// Error returns the diagnostic in one line, as compilers print it.
func (d *Diagnostic) Error() string {
	switch {
	case d.Path == "":
		return d.Message
	case d.Line == 0:
		return d.Path + ": " + d.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", d.Path, d.Line, d.Column, d.Message)
}

// problem is an error that concerns a file as a whole.
func problem(path, format string, args ...any) *Diagnostic {
	return plain(Error, path, format, args...)
}

func plain(severity Severity, path, format string, args ...any) *Diagnostic {
	d := &Diagnostic{Severity: severity, Path: path, Message: fmt.Sprintf(format, args...)}
	d.Text = fmt.Sprintf("%s: %s\n --> %s\n", severity, d.Message, path)
	return d
}

// pointed is an error about a piece of source text.
func pointed(at source.Span, format string, args ...any) *Diagnostic {
	var r report.Report
	r.Errorf(format, args...).Apply(report.Snippet(at))
	return translate(&r, at.Path())[0]
}

// Diagnose returns a diagnostic about a declaration of this file, at its place
// in the source if that is known.
func (f *File) Diagnose(severity Severity, d protoreflect.Descriptor, format string, args ...any) *Diagnostic {
	out := plain(severity, f.Location(), format, args...)
	if file := f.source.Load(); file != nil {
		if at, ok := definition(file, string(d.FullName())); ok {
			out = pointed(at, format, args...)
			out.Severity = severity
			out.Text = severity.String() + strings.TrimPrefix(out.Text, Error.String())
		}
	}
	return out
}

// translate takes what the compiler reported about the file at path.
func translate(r *report.Report, path string) []*Diagnostic {
	r.Canonicalize()
	out := make([]*Diagnostic, 0, len(r.Diagnostics))
	for i := range r.Diagnostics {
		if r.Diagnostics[i].Level() == report.Remark {
			continue
		}
		out = append(out, translateOne(&r.Diagnostics[i], path))
	}
	return out
}

func translateOne(d *report.Diagnostic, path string) *Diagnostic {
	out := &Diagnostic{Path: d.File(), Message: d.Message()}
	if d.Level() >= report.Warning {
		out.Severity = Hint
	}
	if out.Path == "" {
		out.Path = path
	}
	if d.Level() == report.ICE {
		// The compiler's own stack is of no use to who wrote the file.
		out.Message = "the compiler failed on this file: " + strings.Join(d.Notes(), "; ")
	}
	if at := d.Primary(); !at.IsZero() {
		start := at.Location(min(at.Start, len(at.File.Text())), length.Runes)
		out.Line, out.Column = start.Line, start.Column
	}
	out.Text = render(d, out)
	return out
}

// render returns the compiler's picture of a diagnostic, or a plain one if it
// cannot draw it.
func render(d *report.Diagnostic, plain *Diagnostic) (text string) {
	defer func() {
		if recover() != nil {
			text = plain.Severity.String() + ": " + plain.Error() + "\n"
		}
	}()
	one := report.Report{Diagnostics: []report.Diagnostic{*d}}
	text, _, _ = report.Renderer{}.RenderString(&one)
	if i := strings.LastIndex(text, "encountered 1 "); i >= 0 {
		text = strings.TrimRight(text[:i], "\n") + "\n"
	}
	return text
}

// sortDiagnostics puts errors first, then goes by place, and drops repetitions.
func sortDiagnostics(list []*Diagnostic) []*Diagnostic {
	slices.SortStableFunc(list, func(a, b *Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.CompactFunc(list, func(a, b *Diagnostic) bool {
		return a == b || (a.Error() == b.Error() && a.Text == b.Text)
	})
}

func hasErrors(list []*Diagnostic) bool {
	return slices.ContainsFunc(list, func(d *Diagnostic) bool { return d.Severity == Error })
}
