package schema

import (
	"strings"

	"github.com/dyngate/dyngate/handlers/diag"
)

// Companion is a file of a source that says something about its .proto files: see
// Options.Companions.
type Companion struct {
	Location string // its path as the user wrote it
	Text     string
	Problem  *diag.Diagnostic // not nil if the file cannot be read
}

// Companions returns the companions that the sources have: in the order of the sources, and
// sorted by path in each. Hidden files and folders have none.
func (s *Snapshot) Companions() []*Companion { return s.companions }

func isCompanion(path, suffix string) bool { return suffix != "" && strings.HasSuffix(path, suffix) }

// companionsOf returns the companions of inputs, one for each file: one root may contain
// another.
func companionsOf(inputs []*input) (out []*Companion) {
	seen := make(map[string]bool)
	for _, in := range inputs {
		if seen[in.location] {
			continue
		}
		seen[in.location] = true
		c := &Companion{Location: in.location, Problem: in.problem}
		if in.text != nil {
			c.Text = in.text.Text()
		}
		out = append(out, c)
	}
	return out
}
