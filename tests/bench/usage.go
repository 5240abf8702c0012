package main

import (
	"runtime/metrics"
	"time"
)

// usage is what a process has used since it began.
type usage struct {
	CPU    time.Duration
	Allocs uint64
	Bytes  uint64
}

func ownUsage() usage {
	read := []metrics.Sample{
		{Name: "/gc/heap/allocs:objects"},
		{Name: "/gc/heap/tiny/allocs:objects"}, // not part of the above
		{Name: "/gc/heap/allocs:bytes"},
	}
	metrics.Read(read)
	return usage{
		CPU:    cpuTime(),
		Allocs: read[0].Value.Uint64() + read[1].Value.Uint64(),
		Bytes:  read[2].Value.Uint64(),
	}
}

// since returns what was used between two moments.
func (u usage) since(before usage) usage {
	return usage{CPU: u.CPU - before.CPU, Allocs: u.Allocs - before.Allocs, Bytes: u.Bytes - before.Bytes}
}
