//go:build !unix

package child

import "time"

// cpuTime is not known here; its ratios then show as NaN.
func cpuTime() time.Duration { return 0 }
