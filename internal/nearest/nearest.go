// Package nearest finds the known names that a wrong name most likely means, for
// error messages.
package nearest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// These bound the work that a hostile name can cause.
const (
	longest  = 128 // longer names are near no name
	farthest = 3   // a name with more edits is another name
)

// Index is a set of known names, prepared for comparison.
type Index struct {
	names  []string
	folded []string
}

// NewIndex returns an index of names, which it keeps.
func NewIndex(names []string) *Index {
	x := &Index{names: names, folded: make([]string, len(names))}
	for i, n := range names {
		x.folded[i] = fold(n)
	}
	return x
}

// Names returns up to limit of the known names that are near to name.
func Names(name string, known []string, limit int) []string {
	return NewIndex(known).Names(name, limit)
}

// Names returns up to limit of the names that are near to name, nearest first:
// the same name but for letter case, underscores and package, or one that
// differs by few letters.
func (x *Index) Names(name string, limit int) []string {
	if len(name) > longest {
		return nil
	}
	type candidate struct {
		name     string
		distance int
	}
	var near []candidate
	want := fold(name)
	edits := min(farthest, 1+(len(want)+1)/3)
	row := make([]int, longest+farthest+1)
	for i, k := range x.folded {
		if d, ok := distance(want, k, edits, row); ok {
			near = append(near, candidate{x.names[i], d})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	names := make([]string, 0, min(limit, len(near)))
	for _, c := range near[:min(limit, len(near))] {
		names = append(names, c.name)
	}
	return names
}

// DidYouMean puts the names that [Names] returned into a question at the end of an
// error: ` (did you mean "a" or "b"?)`. It returns "" if there are none.
func DidYouMean(near []string) string {
	if len(near) == 0 {
		return ""
	}
	quoted := make([]string, len(near))
	for i, name := range near {
		quoted[i] = strconv.Quote(name)
	}
	return " (did you mean " + strings.Join(quoted, " or ") + "?)"
}

// fold returns a name without its package, in lower case and without underscores.
func fold(s string) string {
	return strings.ToLower(strings.ReplaceAll(s[strings.LastIndexByte(s, '.')+1:], "_", ""))
}

// distance is the Levenshtein distance of a and b when it is at most limit. row
// is room for a row of the matrix.
func distance(a, b string, limit int, row []int) (int, bool) {
	if a == b {
		return 0, true
	}
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return 0, false
	}
	row = row[:len(b)+1]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		// Only cells near the diagonal can be within the limit.
		low, high := max(0, i-limit), min(len(b)-1, i+limit)
		diagonal := row[low]
		row[low] = i + 1 - low
		best := row[low]
		for j := low; j <= high; j++ {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
			best = min(best, row[j+1])
		}
		if best > limit {
			return 0, false
		}
		if high+2 < len(row) {
			row[high+2] = limit + 1
		}
	}
	return row[len(b)], row[len(b)] <= limit
}
