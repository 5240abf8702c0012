// Package diag defines the diagnostics that loaders report: for .proto files,
// handlers and configuration.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dyngate/dyngate/internal/safetext"
)

// Severity says how bad a problem is.
type Severity int

// The severities, most severe first.
const (
	Error   Severity = iota // the subject cannot be used
	Warning                 // the subject can be used, but may not do what its author expects
	Hint                    // an opinion on style
)

// String returns "error", "warning" or "hint", and "severity(9)" for a value that is
// none of the constants.
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	case Hint:
		return "hint"
	default:
		return fmt.Sprintf("severity(%d)", int(s))
	}
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
	// details, on several lines without colors. Default: made of the message and the
	// position.
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
	d.Text = d.compose()
	return d
}

// text returns the text, or its default.
func (d *Diagnostic) text() string {
	if d.Text != "" {
		return d.Text
	}
	return d.compose()
}

// compose makes a text of the message and the position.
func (d *Diagnostic) compose() string {
	sentence, details := Split(d.Message)
	text := fmt.Sprintf("%s: %s\n", d.Severity, sentence)
	if d.Path != "" {
		text += fmt.Sprintf(" --> %s\n", d.shownPosition())
	}
	return text + details
}

// shownPosition returns the position as people see it, on one line. Others may have
// chosen the path.
func (d *Diagnostic) shownPosition() string {
	return strings.NewReplacer("\n", "\ufffd", "\t", "\ufffd").Replace(safetext.Clean(d.String()))
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
// detail is on its own line. Control characters are replaced.
func (d *Diagnostic) Error() string {
	sentence, details := Split(safetext.Clean(d.Message))
	text := sentence
	if d.Path != "" {
		text = fmt.Sprintf("%s: %s", d.shownPosition(), sentence)
	}
	return strings.TrimSuffix(text+"\n"+details, "\n")
}

// Key returns the same string for the same problem in two loads.
func (d *Diagnostic) Key() string { return cmp.Or(d.Identity, d.text()) }

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
// the empty string if there are none. It leaves out hints. Unknown severities count
// as warnings. Control characters are replaced, because schemas and providers copy
// text from others.
func Render(list []*Diagnostic) string {
	var b strings.Builder
	errors, warnings := 0, 0
	for _, d := range list {
		switch d.Severity {
		case Hint:
			continue
		case Error:
			errors++
		default:
			warnings++
		}
		text := safetext.Clean(d.text())
		b.WriteString(strings.TrimRight(text, "\n") + "\n\n")
	}
	if b.Len() > 0 {
		fmt.Fprintf(&b, "%s, %s", plural(errors, "error"), plural(warnings, "warning"))
	}
	return b.String()
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
