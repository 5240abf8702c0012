package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// headroom is how much a small server may allocate between two collections of
	// garbage, about.
	headroom = 32 << 20

	// From usualMemory on the garbage collector takes more trouble: garbage then
	// takes half of what is in use at most, not as much again.
	usualMemory = 850 << 20

	// memoryInterval is how often what is in use is looked at.
	memoryInterval = time.Second
)

// keepMemory keeps the garbage collector from running all the time in a small
// server, and from letting garbage pile up when callers flood the server. It runs
// when the heap has doubled; that of a small server is a few megabytes, which are a
// thousand calls, and collecting is then a fourth of the work. Memory that is never
// touched counts as heap, but takes no room. Whoever sets GOGC or GOMEMLIMIT has
// decided otherwise. Call release when the server has ended.
func keepMemory() (release func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	untouched := make([]byte, headroom)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // ends at release
		defer close(stopped)
		limitGarbage(stop)
	}()
	return func() {
		close(stop)
		<-stopped
		runtime.KeepAlive(untouched)
	}
}

// limitGarbage keeps the limit of memory at one and a half times of what is in use,
// so that the collector never has to fight for memory that there is not.
func limitGarbage(stop <-chan struct{}) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	ticker := time.NewTicker(memoryInterval)
	defer ticker.Stop()
	defer debug.SetMemoryLimit(math.MaxInt64)
	for {
		metrics.Read(live)
		used := min(live[0].Value.Uint64(), math.MaxInt64/2)
		debug.SetMemoryLimit(max(usualMemory, int64(used+used/2))) //nolint:gosec // less than half
		select {
		case <-ticker.C:
		case <-stop:
			return
		}
	}
}
