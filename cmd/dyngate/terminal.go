package main

import (
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/dyngate/dyngate/internal/safetext"
)

// colors is the value of --color.
var colors = "auto"

// ink styles text for an output. The zero value leaves it plain.
type ink struct {
	color bool
	width int // columns to wrap long lines at; 0 for no wrapping
}

// inkFor returns the ink for a file: plain unless it is a terminal. Colors obey
// --color, NO_COLOR (no-color.org) and a TERM that has none, in this order.
func inkFor(f *os.File) ink {
	columns, _, err := term.GetSize(int(f.Fd()))
	terminal := err == nil
	i := ink{color: colors == "always"}
	if colors == "auto" {
		i.color = terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	if terminal && columns > 40 {
		i.width = columns
	}
	return i
}

func (i ink) red(s string) string    { return i.paint("1;31", s) }
func (i ink) yellow(s string) string { return i.paint("1;33", s) }
func (i ink) green(s string) string  { return i.paint("1;32", s) }
func (i ink) cyan(s string) string   { return i.paint("36", s) }
func (i ink) bold(s string) string   { return i.paint("1", s) }
func (i ink) dim(s string) string    { return i.paint("2", s) }

func (i ink) paint(style, s string) string {
	if !i.color || s == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

// lead wraps a line that begins with a label, and paints the label.
func (i ink) lead(label string, paint func(string) string, text string) string {
	rest, ok := strings.CutPrefix(i.wrap(label+text), label)
	if !ok { // wrapped inside the label
		return i.wrap(label + text)
	}
	return paint(label) + rest
}

// wrap breaks each line of text that is too long at spaces, and indents what
// follows a break.
func (i ink) wrap(text string) string {
	if i.width == 0 {
		return text
	}
	var out strings.Builder
	for line := range strings.Lines(text) {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))] + "  "
		for first := true; utf8.RuneCountInString(line) > i.width; first = false {
			from := len(indent)
			if first {
				from -= 2
			}
			at := breakAt(line, from, i.width)
			if at < 0 {
				break
			}
			out.WriteString(strings.TrimRight(line[:at], " ") + "\n")
			line = indent + strings.TrimLeft(line[at:], " ")
		}
		out.WriteString(line)
	}
	return out.String()
}

// breakAt returns where to break a line so that it fits the width: after the last
// space within it, or else the first one; -1 if there is none after from.
func breakAt(line string, from, width int) int {
	end := len(line)
	for at, column := from, from; at < len(line); column++ {
		if column == width {
			end = at
			break
		}
		_, size := utf8.DecodeRuneInString(line[at:])
		at += size
	}
	if end < len(line) && line[end] == ' ' {
		return end + 1
	}
	if at := strings.LastIndexByte(line[from:end], ' '); at >= 0 {
		return from + at + 1
	}
	if at := strings.IndexByte(strings.TrimRight(line[from:], " \n"), ' '); at >= 0 {
		return from + at + 1
	}
	return -1
}

// The parts of a diagnostic's text that are painted: see [diag.Diagnostic].
var (
	severityLine = regexp.MustCompile(`^(error|warning|hint)\b(:?)(.*)$`)
	positionLine = regexp.MustCompile(`^( *)(-->|:::|was) (.+)$`)
	sourceLine   = regexp.MustCompile(`^( *\d* *)([|=])(.*)$`)
	carets       = regexp.MustCompile(`\^+|-{2,}|~{2,}`)
)

// diagnostics paints diagnostics that diag.Render returned: severity, position,
// margin and carets.
func (i ink) diagnostics(text string) string {
	text = safetext.Clean(text)
	if !i.color {
		return text
	}
	var out strings.Builder
	for line := range strings.Lines(text) {
		line, _ = strings.CutSuffix(line, "\n")
		out.WriteString(i.diagnosticLine(line) + "\n")
	}
	painted := out.String()
	if !strings.HasSuffix(text, "\n") {
		painted = strings.TrimSuffix(painted, "\n")
	}
	return painted
}

func (i ink) diagnosticLine(line string) string {
	if m := severityLine.FindStringSubmatch(line); m != nil {
		return i.severity(m[1])(m[1]+m[2]) + i.bold(m[3])
	}
	if m := positionLine.FindStringSubmatch(line); m != nil {
		return m[1] + i.dim(m[2]) + " " + i.cyan(m[3])
	}
	m := sourceLine.FindStringSubmatch(line)
	if m == nil {
		return line
	}
	if strings.TrimSpace(m[1]) == "" && m[2] == "|" { // a line below the source, with carets
		m[3] = carets.ReplaceAllStringFunc(m[3], i.red)
	}
	return i.dim(m[1]+m[2]) + m[3]
}

// severity returns the paint of a severity.
func (i ink) severity(name string) func(string) string {
	switch name {
	case "error":
		return i.red
	case "warning":
		return i.yellow
	}
	return i.cyan
}

// indented cleans text that others wrote, and indents all lines but the first, so
// that none looks like a line of ours.
func indented(s string) string {
	return strings.ReplaceAll(safetext.Clean(s), "\n", "\n  ")
}
