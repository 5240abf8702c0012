//go:build !race

// The race detector makes sync.Pool forget at random, so that allocations cannot
// be counted.

package restfront

import "testing"

// TestAllocations keeps the allocations of a call from growing unnoticed. Lower the
// budget when a change saves some; a commit that needs more says why.
func TestAllocations(t *testing.T) {
	f := newHello(t)
	for _, test := range []struct {
		name   string
		replay *replay
		budget float64
	}{
		{"POST", newReplay(t, postHello, `{"name":"Ada"}`), 7},
		{"GET", newReplay(t, "GET /v1/hello/Ada\nUser-Agent: bench", ""), 7},
	} {
		if got := testing.AllocsPerRun(1000, func() { test.replay.serve(t, f) }); got > test.budget {
			t.Errorf("%s: %v allocations, the budget is %v", test.name, got, test.budget)
		} else if got < test.budget {
			t.Logf("%s: %v allocations, the budget is %v: lower it", test.name, got, test.budget)
		}
	}
}
