package main

import (
	"runtime"
	"testing"
)

func TestShareFor(t *testing.T) {
	for live, want := range map[uint64]int{0: 100, 100 << 20: 100, 128 << 20: 100, 200 << 20: 60, 256 << 20: 50, 1 << 30: leastShare, 1 << 40: leastShare} {
		if got := shareFor(live); got != want {
			t.Errorf("shareFor(%d) = %d, want %d", live, got, want)
		}
	}
}

// TestReadMemory checks that the runtime knows the names of what is read.
func TestReadMemory(t *testing.T) {
	runtime.GC()
	before := readMemory()
	garbage := make([]byte, 64<<20)
	now := readMemory()
	if before.live == 0 || now.allocated-before.allocated < 64<<20 || now.objects < 64<<20 {
		t.Errorf("before %+v, with 64 MiB more %+v", before, now)
	}
	runtime.KeepAlive(garbage)
}
