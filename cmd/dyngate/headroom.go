package main

import (
	"os"
	"runtime"
)

// headroom is how much a small server may allocate between two collections of
// garbage, about.
const headroom = 32 << 20

// keepHeadroom keeps the garbage collector from running all the time. It runs
// when the heap has doubled; that of a small server is a few megabytes, which
// are a thousand calls, and collecting is then a fourth of the work. Memory that
// is never touched counts as heap, but takes no room. Whoever sets GOGC or
// GOMEMLIMIT has decided otherwise. Call release when the server has ended.
func keepHeadroom() (release func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	untouched := make([]byte, headroom)
	return func() { runtime.KeepAlive(untouched) }
}
