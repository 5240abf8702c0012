package schema

import (
	"slices"
	"strings"

	"github.com/bufbuild/protocompile/experimental/parser"
	"github.com/bufbuild/protocompile/experimental/report"
	"github.com/bufbuild/protocompile/experimental/source"

	"github.com/dyngate/dyngate/handlers/diag"
)

// The compiler stores a diagnostic for each error, a megabyte may contain half a million of them,
// and the compiler cannot be stopped. So a long text is first parsed piece by piece, and parsing
// ends when there are too many errors.
const (
	pieceSize = 64 << 10
	maxErrors = 1000
)

// cut is a position where a piece of a text may begin, with the context that parsing the piece
// needs: the heads of the blocks around it.
type cut struct {
	at      int
	context []extent
	closers string // of those blocks
}

type extent struct{ start, end int }

// cutter records the cuts while a text is scanned.
type cutter struct {
	cuts      []cut
	syntax    extent
	blocks    []block
	statement block // the current one, before its bracket
}

// block is a statement that continues in brackets.
type block struct {
	start int // of the statement
	comma int // after its first comma; 0 if it has none
	open  int // after the bracket

	bracket byte
}

func (c *cutter) enter(bracket byte, at int) {
	c.statement.open, c.statement.bracket = at, bracket
	c.blocks = append(c.blocks, c.statement)
	c.statement = block{start: at}
}

func (c *cutter) leave(bracket byte, at int) {
	top := len(c.blocks) - 1
	c.statement = c.blocks[top]
	c.blocks = c.blocks[:top]
	if bracket != ')' {
		c.separate(';', at)
	}
}

// separate handles a comma, or the end of a statement.
func (c *cutter) separate(mark byte, at int) {
	switch {
	case mark == ';':
		if c.syntax.end == 0 && at < pieceSize {
			c.syntax.end = at // the first statement: harmless if it is not the syntax
		}
		c.statement = block{start: at}
	case c.statement.comma == 0:
		c.statement.comma = at
	}
	last := 0
	if len(c.cuts) > 0 {
		last = c.cuts[len(c.cuts)-1].at
	}
	if at-last < pieceSize || mark == ';' && len(c.blocks) > 0 && c.blocks[len(c.blocks)-1].bracket == '[' {
		return
	}
	cut := cut{at: at, context: []extent{c.syntax}}
	for _, b := range c.blocks {
		cut.context = append(cut.context, extent{max(b.start, c.syntax.end), b.open})
		cut.closers = closing[b.bracket] + cut.closers
	}
	if c.statement.comma > 0 {
		cut.context = append(cut.context, extent{max(c.statement.start, c.syntax.end), c.statement.comma})
	}
	size := 0
	for _, e := range cut.context {
		size += e.end - e.start
	}
	if size < pieceSize/4 {
		c.cuts = append(c.cuts, cut)
	}
}

// piece returns the text from one cut to another, after the heads of the blocks around it, and the
// length of these heads. If inPlace, blanks replace the omitted text before it.
func piece(text string, from, to cut, inPlace bool) (alone string, heads int) {
	var b strings.Builder
	at := 0
	skip := func(to int) {
		if inPlace {
			b.WriteString(blank(text[at:to]))
		}
	}
	for _, head := range from.context {
		skip(head.start)
		b.WriteString(text[head.start:head.end])
		at = head.end
	}
	skip(from.at)
	heads = b.Len()
	b.WriteString(text[from.at:to.at])
	b.WriteString(to.closers)
	return b.String(), heads
}

var closing = map[byte]string{'{': "}", '[': "]", '(': ")"}

// blank replaces all of text except line breaks with spaces.
func blank(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for line := range strings.Lines(text) {
		n := len(strings.TrimSuffix(line, "\n"))
		b.WriteString(strings.Repeat(" ", n))
		b.WriteString(line[n:])
	}
	return b.String()
}

// parsePieces returns the first errors of a text that has too many; nil if it does not.
func parsePieces(path string, text *source.File, cuts []cut) []*diag.Diagnostic {
	cuts = append(cuts, cut{at: len(text.Text())})
	count := 0
	from := cut{}
	for _, to := range cuts {
		if count += len(errorsIn(path, text, from, to, false)); count > maxErrors {
			return firstErrors(path, text, cuts)
		}
		from = to
	}
	return nil
}

func firstErrors(path string, text *source.File, cuts []cut) []*diag.Diagnostic {
	var found []report.Diagnostic
	from := cut{}
	for _, to := range cuts {
		found = append(found, errorsIn(path, text, from, to, true)...)
		if len(found) > maxDiagnostics {
			break
		}
		from = to
	}
	out := translate(&report.Report{Diagnostics: found}, text.Path())
	return append(out[:min(len(out), maxDiagnostics)],
		problem(text.Path(), "this file has more than %d errors; the others are not shown", maxErrors))
}

// errorsIn returns the errors in one piece.
func errorsIn(path string, text *source.File, from, to cut, inPlace bool) []report.Diagnostic {
	alone, heads := piece(text.Text(), from, to, inPlace)
	r := &report.Report{Options: report.Options{SuppressWarnings: true}}
	_, _ = parser.Parse(path, source.NewFile(text.Path(), alone), r)
	return slices.DeleteFunc(r.Diagnostics, func(d report.Diagnostic) bool {
		at := d.Primary()
		end := len(alone) - len(to.closers)
		return d.Level() > report.Error || at.IsZero() || at.Start < heads || at.End >= end // caused by the cut
	})
}
