package child

import (
	"runtime/metrics"
	"time"
)

// Usage is what a process has used since it began.
type Usage struct {
	CPU    time.Duration
	Allocs uint64
	Bytes  uint64
}

// OwnUsage returns the usage of this process.
func OwnUsage() Usage {
	read := []metrics.Sample{
		{Name: "/gc/heap/allocs:objects"},
		{Name: "/gc/heap/tiny/allocs:objects"}, // not part of the above
		{Name: "/gc/heap/allocs:bytes"},
	}
	metrics.Read(read)
	return Usage{
		CPU:    cpuTime(),
		Allocs: read[0].Value.Uint64() + read[1].Value.Uint64(),
		Bytes:  read[2].Value.Uint64(),
	}
}

// Since returns what was used between two moments.
func (u Usage) Since(before Usage) Usage {
	return Usage{CPU: u.CPU - before.CPU, Allocs: u.Allocs - before.Allocs, Bytes: u.Bytes - before.Bytes}
}
