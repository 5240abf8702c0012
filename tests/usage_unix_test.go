//go:build unix

package tests

import (
	"runtime"
	"syscall"
)

// peakBytes returns the most memory that an ended process took; 0 if that is not
// known.
func (p *process) peakBytes() int64 {
	usage, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss) //nolint:unconvert // an int32 on some systems
	}
	return int64(usage.Maxrss) << 10 //nolint:unconvert // an int32 on some systems
}
