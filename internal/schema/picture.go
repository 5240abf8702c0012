package schema

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bufbuild/protocompile/experimental/report"
	"github.com/bufbuild/protocompile/experimental/source"

	"github.com/dyngate/dyngate/handlers/diag"
)

// Limits on the text of one diagnostic.
const (
	maxPicture = 10_000 // bytes in total
	maxLine    = 1000   // bytes of a source line that the compiler may render
	maxExcerpt = 60     // bytes of a longer line on each side of the position
)

// hasLongLine reports whether a line of text is too long for the compiler to render: it
// measures and copies whole lines for each diagnostic, and generated files may have a single
// line.
func hasLongLine(text string) bool {
	for len(text) > maxLine {
		end := strings.LastIndexByte(text[:maxLine+1], '\n')
		if end < 0 {
			return true
		}
		text = text[end+1:]
	}
	return false
}

// picture returns the full text of a diagnostic, rendered by the compiler unless that fails or
// is too long.
func picture(d *report.Diagnostic, brief *diag.Diagnostic, longLines bool) (text string) {
	defer func() {
		if recover() != nil || len(text) > maxPicture {
			text = sketch(d, brief)
		}
	}()
	if longLines {
		return sketch(d, brief)
	}
	one := report.Report{Diagnostics: []report.Diagnostic{*d}}
	text, _, _ = report.Renderer{}.RenderString(&one)
	if i := strings.LastIndex(text, "encountered 1 "); i >= 0 {
		text = strings.TrimRight(text[:i], "\n") + "\n"
	}
	return text
}

// sketch renders a diagnostic with only the source text around its position.
func sketch(d *report.Diagnostic, brief *diag.Diagnostic) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", brief.Severity, brief.Message)
	at := d.Primary()
	if at.IsZero() || brief.Line == 0 {
		fmt.Fprintf(&b, " --> %s\n", brief.Path)
	} else {
		margin := strings.Repeat(" ", len(strconv.Itoa(brief.Line)))
		before, marked, after := excerpt(at)
		fmt.Fprintf(&b, "%s--> %s:%d:%d\n%[1]s |\n%[3]d | %[5]s%[6]s%[7]s\n%[1]s | %[8]s%[9]s\n", margin, brief.Path, brief.Line, brief.Column,
			before, marked, after, strings.Repeat(" ", utf8.RuneCountInString(before)), strings.Repeat("^", max(1, utf8.RuneCountInString(marked))))
	}
	for _, note := range d.Notes()[:min(len(d.Notes()), 3)] {
		fmt.Fprintf(&b, " = note: %s\n", diag.Clip(note))
	}
	for _, help := range d.Help()[:min(len(d.Help()), 3)] {
		fmt.Fprintf(&b, " = help: %s\n", diag.Clip(help))
	}
	return b.String()
}

// excerpt returns the text on the line where a span starts: before the span, in it, and after
// it.
func excerpt(at source.Span) (before, marked, after string) {
	text := at.File.Text()
	start := min(at.Start, len(text))
	end := max(start, min(at.End, len(text)))
	before = text[max(0, start-maxExcerpt):start]
	before = before[strings.LastIndexByte(before, '\n')+1:]
	marked, _, broken := strings.Cut(text[start:min(end, start+maxExcerpt)], "\n")
	if !broken {
		after, _, _ = strings.Cut(text[start+len(marked):min(len(text), start+len(marked)+maxExcerpt)], "\n")
	}
	return printable(before), printable(marked), printable(after)
}

// printable makes each character of an excerpt one column wide, so that the marks below it are
// in their place. It replaces tabs, invisible characters, which package safetext does not, and
// incomplete characters.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(text, " "))
}
