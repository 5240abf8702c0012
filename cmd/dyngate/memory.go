package main

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The settings of tendMemory.
const (
	// tendEvery is how often to look.
	tendEvery = time.Second

	// A heap of any size may have this much garbage, or this share of the memory in
	// use, before garbage is collected. The runtime's default share is 100 percent.
	freeGarbage = 128 << 20
	leastShare  = 35

	// Above usualMemory, the limit is one and a half times the memory in use: between
	// two looks, a flood of calls can make more garbage than the share allows.
	usualMemory = 850 << 20

	// An idle server keeps this much memory that it does not need, or this share of
	// the memory in use.
	freeSpare  = 64 << 20
	spareShare = 10
)

// tendMemory keeps a large heap from doubling before garbage is collected, and
// gives memory back when the server is idle, until ctx ends. The schemas of a large
// folder are a gigabyte that hardly changes: waiting for another gigabyte of
// garbage saves little time, and the runtime would keep the memory. GOGC or
// GOMEMLIMIT in the environment turn this off.
func tendMemory(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	ticker := time.NewTicker(tendEvery)
	defer ticker.Stop()
	defer debug.SetGCPercent(100)
	defer debug.SetMemoryLimit(math.MaxInt64)
	share, last, calm := 100, readMemory(), 0
	debug.SetMemoryLimit(limitFor(last.live))
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := readMemory()
		if want := shareFor(now.live); want != share {
			debug.SetGCPercent(want)
			share = want
		}
		debug.SetMemoryLimit(limitFor(now.live))
		if now.allocated-last.allocated > now.live/100+1<<20 {
			calm = 0
		} else {
			calm++
		}
		if calm >= 2 && now.spare() > max(freeSpare, now.live/100*spareShare) {
			debug.FreeOSMemory()
			calm, now = 0, readMemory()
		}
		last = now
	}
}

// shareFor returns how much garbage a heap may have, in percent, in steps, so that
// it is not set all the time.
func shareFor(live uint64) int {
	if live <= freeGarbage {
		return 100
	}
	return max(int(freeGarbage*100/live)/5*5, leastShare) //nolint:gosec // less than 100
}

// limitFor returns the memory limit. It leaves room for garbage, so that the
// collector does not run all the time.
func limitFor(live uint64) int64 {
	return int64(max(usualMemory, min(live, math.MaxInt64/2)/2*3)) //nolint:gosec // less than the largest
}

// memory is what the process has, in bytes.
type memory struct {
	allocated uint64 // since the start
	live      uint64 // in use when garbage was last collected
	objects   uint64 // in use or garbage
	unused    uint64 // of the heap, free but not given back
}

// spare is what could be given back.
func (m memory) spare() uint64 { return m.unused + m.objects - min(m.live, m.objects) }

func readMemory() memory {
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	return memory{
		allocated: samples[0].Value.Uint64(), live: samples[1].Value.Uint64(), objects: samples[2].Value.Uint64(),
		unused: samples[3].Value.Uint64(),
	}
}
