//go:build !unix

package tests

// peakBytes returns 0: it is not known how much memory a process took.
func (p *process) peakBytes() int64 { return 0 }
