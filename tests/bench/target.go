package main

import (
	"fmt"
	"slices"
)

// target is a ratio to another rival that a rival has to reach.
type target struct {
	rival    string
	base     string // the other one; empty for the first
	scenario string
	figure   func(sample) float64
	unit     string
	atMost   float64 // one of the two
	atLeast  float64
}

func (t target) verdict(c contest, g group) string {
	i, base := slices.Index(c.rivals, t.rival), max(slices.Index(c.rivals, t.base), 0)
	got := ratio(g.samples[i], g.samples[base], t.figure)
	bound := fmt.Sprintf("at least %.2f", t.atLeast)
	met := got >= t.atLeast
	if t.atMost > 0 {
		bound, met = fmt.Sprintf("at most %.2f", t.atMost), got <= t.atMost
	}
	verdict := "met"
	if !met {
		verdict = "MISSED"
	}
	return fmt.Sprintf("target %s: %s, %s, %d at once: %s x %s of %s wanted, %.2f found",
		verdict, t.rival, t.scenario, g.concurrency, bound, t.unit, c.rivals[base], got)
}
