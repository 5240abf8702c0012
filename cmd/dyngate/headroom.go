package main

import (
	"os"
	"runtime"
)

// headroom is about how much a small server may allocate between two garbage
// collections.
const headroom = 32 << 20

// keepHeadroom makes the garbage collector run less often. It runs when the heap
// has doubled. The heap of a small server is a few megabytes, so it would run after
// each thousand calls and take a fourth of the time. Memory that is never touched
// counts as heap, but uses no RAM. GOGC or GOMEMLIMIT in the environment turn this
// off. Call release when the server has ended.
func keepHeadroom() (release func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	untouched := make([]byte, headroom)
	return func() { runtime.KeepAlive(untouched) }
}
