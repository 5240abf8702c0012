// Package nearest finds the known names that a mistaken one most likely meant,
// for error messages that say so.
package nearest

import (
	"cmp"
	"slices"
	"strings"
)

// longest bounds the names that are compared, and so the work that a hostile
// name can cause.
const longest = 128

// Names returns up to limit of the known names that are near to name, nearest
// first: the same name but for letter case, underscores and package, or one that
// differs by few letters.
func Names(name string, known []string, limit int) []string {
	if len(name) > longest {
		return nil
	}
	type candidate struct {
		name     string
		distance int
	}
	var near []candidate
	want := lastPart(name)
	for _, k := range known {
		if d, ok := distance(want, lastPart(k), 1+(len(want)+1)/3); ok {
			near = append(near, candidate{k, d})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	names := make([]string, 0, min(limit, len(near)))
	for _, c := range near[:min(limit, len(near))] {
		names = append(names, c.name)
	}
	return names
}

// lastPart is a name without its package, letter case and underscores.
func lastPart(s string) string {
	return strings.ToLower(strings.ReplaceAll(s[strings.LastIndexByte(s, '.')+1:], "_", ""))
}

// distance is the Levenshtein distance of a and b when it is at most limit.
func distance(a, b string, limit int) (int, bool) {
	if a == b {
		return 0, true
	}
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return 0, false
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal, best := row[0], i+1
		row[0] = i + 1
		for j := range len(b) {
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
	}
	return row[len(b)], row[len(b)] <= limit
}
