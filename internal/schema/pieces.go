package schema

import (
	"slices"
	"strings"

	"github.com/bufbuild/protocompile/experimental/parser"
	"github.com/bufbuild/protocompile/experimental/report"
	"github.com/bufbuild/protocompile/experimental/source"

	"github.com/dyngate/dyngate/handlers/diag"
)

// The compiler keeps a diagnostic for each mistake, of which a megabyte may hold half a million, and
// cannot be told to stop. So a long text is first parsed piece by piece, and no further when
// there are more mistakes than anybody wants to know.
const (
	pieceSize    = 64 << 10
	tooManyToFix = 1000
)

// cut is a place where a piece of a text may begin, with what must stand before it for the piece to
// be understood: the heads of the blocks around it.
type cut struct {
	at      int
	context []extent
	closers string // of those blocks
}

type extent struct{ start, end int }

// cutter notes the cuts while a text is scanned.
type cutter struct {
	cuts      []cut
	syntax    extent
	blocks    []block
	statement block // that is being read; its bracket is not there yet
}

// block is a statement that goes on in brackets.
type block struct {
	start int // of the statement
	comma int // behind its first comma; 0 if it has none
	open  int // behind the bracket

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

// separate takes a comma, or the end of a statement.
func (c *cutter) separate(mark byte, at int) {
	switch {
	case mark == ';':
		if c.syntax.end == 0 && at < pieceSize {
			c.syntax.end = at // the first statement: if it is not the syntax, it does no harm
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

// piece returns the text from one cut to another, behind the heads of the blocks around it, and how long those are.
// In place, all that is left out before it is blank.
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

// blank returns text with nothing but its line ends.
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

// parsePieces returns the first mistakes of a text that has far too many of them; nil if it does not.
func parsePieces(path string, text *source.File, cuts []cut) []*diag.Diagnostic {
	cuts = append(cuts, cut{at: len(text.Text())})
	count := 0
	from := cut{}
	for _, to := range cuts {
		if count += len(mistakesIn(path, text, from, to, false)); count > tooManyToFix {
			return firstMistakes(path, text, cuts)
		}
		from = to
	}
	return nil
}

func firstMistakes(path string, text *source.File, cuts []cut) []*diag.Diagnostic {
	var found []report.Diagnostic
	from := cut{}
	for _, to := range cuts {
		found = append(found, mistakesIn(path, text, from, to, true)...)
		if len(found) > maxDiagnostics {
			break
		}
		from = to
	}
	out := translate(&report.Report{Diagnostics: found}, text.Path())
	return append(out[:min(len(out), maxDiagnostics)],
		problem(text.Path(), "there are more than %d mistakes in this file; the others are not shown", tooManyToFix))
}

// mistakesIn parses one piece.
func mistakesIn(path string, text *source.File, from, to cut, inPlace bool) []report.Diagnostic {
	alone, heads := piece(text.Text(), from, to, inPlace)
	r := &report.Report{Options: report.Options{SuppressWarnings: true}}
	_, _ = parser.Parse(path, source.NewFile(text.Path(), alone), r)
	return slices.DeleteFunc(r.Diagnostics, func(d report.Diagnostic) bool {
		at := d.Primary()
		end := len(alone) - len(to.closers)
		return d.Level() > report.Error || at.IsZero() || at.Start < heads || at.End >= end // what comes of cutting
	})
}
