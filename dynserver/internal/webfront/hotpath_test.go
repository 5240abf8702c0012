//go:build !race

// The race detector makes sync.Pool forget at random, so that allocations cannot
// be counted.

package webfront

import "testing"

// TestAllocations keeps the allocations of a call from growing unnoticed. Most are
// connect's. Lower the budget when a change saves some; a commit that needs more says
// why.
func TestAllocations(t *testing.T) {
	f, requests := benchServers(t)["dyngate"], benchRequests(t)
	for name, budget := range map[string]float64{"Greet proto": 33, "Greet json": 33} {
		if got := testing.AllocsPerRun(1000, repeat(t, f, name, requests[name])); got > budget {
			t.Errorf("%s: %v allocations, the budget is %v", name, got, budget)
		} else if got < budget {
			t.Logf("%s: %v allocations, the budget is %v: lower it", name, got, budget)
		}
	}
}
