// Package diag defines the diagnostics that loaders report: for .proto files,
// handlers and configuration.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Severity says how bad a problem is.
type Severity int

// The severities, most severe first.
const (
	Error   Severity = iota // the subject cannot be used
	Warning                 // the subject can be used, but may not do what its author expects
	Hint                    // an opinion on style
)

// String returns "error", "warning" or "hint".
func (s Severity) String() string {
	return [...]string{"error", "warning", "hint"}[s]
}

// Position is a place in a file.
type Position struct {
	Path   string // as the user wrote it; empty if there is no file
	Line   int    // from 1; 0 for the whole file
	Column int    // from 1, in characters; 0 for the whole line
}

// String returns path:line:column, or the part of it that is known. Terminals
// and editors turn it into a link.
func (p Position) String() string {
	switch {
	case p.Line == 0:
		return p.Path
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.Path, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.Path, p.Line, p.Column)
}

// Diagnostic is a problem and its position.
type Diagnostic struct {
	Severity Severity
	Position

	// Message is one sentence. Each further line is a detail.
	Message string

	// Text is the full report: message, position, source line, caret, notes and
	// details, on several lines without colors.
	Text string

	// Transient says that the problem may disappear by itself, as when a file
	// could not be read.
	Transient bool

	// Omitted is the number of problems that were left out, if this diagnostic
	// reports that.
	Omitted int

	// Identity is what [Diagnostic.Key] returns. Default: Text.
	Identity string
}

// Limits on a message. Clip cuts longer ones.
const (
	maxLine  = 1000 // bytes
	maxLines = 50
)

// New returns a diagnostic whose text is its message and its position.
func New(severity Severity, at Position, format string, args ...any) *Diagnostic {
	d := &Diagnostic{Severity: severity, Position: at, Message: Clip(fmt.Sprintf(format, args...))}
	sentence, details := Split(d.Message)
	d.Text = fmt.Sprintf("%s: %s\n", severity, sentence)
	if at.Path != "" {
		d.Text += fmt.Sprintf(" --> %s\n", at)
	}
	d.Text += details
	return d
}

// Clip cuts a message that is too long to read.
func Clip(message string) string {
	lines := strings.Split(message, "\n")
	if n := len(lines) - maxLines; n > 0 {
		lines = append(lines[:maxLines], fmt.Sprintf("and %d more", n))
	}
	for i, line := range lines {
		lines[i] = clipLine(line)
	}
	return strings.Join(lines, "\n")
}

func clipLine(line string) string {
	limit := maxLine
	if len(line) <= limit {
		return line
	}
	for limit > 0 && !utf8.RuneStart(line[limit]) {
		limit--
	}
	return line[:limit] + "…"
}

// Split returns the first line of a message, and its details in the format of
// Text: indented, each with a line break.
func Split(message string) (sentence, details string) {
	sentence, rest, found := strings.Cut(message, "\n")
	if found {
		details = "  " + strings.ReplaceAll(rest, "\n", "\n  ") + "\n"
	}
	return sentence, details
}

// Error returns the position and the message, like a compiler's error. Each
// detail is on its own line.
func (d *Diagnostic) Error() string {
	sentence, details := Split(d.Message)
	text := sentence
	if d.Path != "" {
		text = fmt.Sprintf("%s: %s", d.Position, sentence)
	}
	return strings.TrimSuffix(text+"\n"+details, "\n")
}

// Key returns the same string for the same problem in two loads.
func (d *Diagnostic) Key() string { return cmp.Or(d.Identity, d.Text) }

// Sort sorts by severity, then by position, and drops duplicates. It changes
// list.
func Sort(list []*Diagnostic) []*Diagnostic {
	slices.SortStableFunc(list, func(a, b *Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Path, b.Path),
			cmp.Compare(min(a.Omitted, 1), min(b.Omitted, 1)),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.CompactFunc(list, func(a, b *Diagnostic) bool { return a == b || *a == *b })
}

// HasErrors reports whether any of the diagnostics is an error.
func HasErrors(list []*Diagnostic) bool {
	return slices.ContainsFunc(list, func(d *Diagnostic) bool { return d.Severity == Error })
}

// Render returns the errors and warnings as text for people, with their number;
// the empty string if there are none. It leaves out hints.
func Render(list []*Diagnostic) string {
	var b strings.Builder
	var count [Hint + 1]int
	for _, d := range list {
		count[d.Severity]++
		if d.Severity != Hint {
			b.WriteString(strings.TrimRight(d.Text, "\n") + "\n\n")
		}
	}
	if b.Len() > 0 {
		fmt.Fprintf(&b, "%s, %s", plural(count[Error], "error"), plural(count[Warning], "warning"))
	}
	return b.String()
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
