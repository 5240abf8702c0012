package rig

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory returns a size, in bytes, of a process that still runs: VmRSS is what it
// takes now, VmHWM the most that it has taken. It returns 0 on systems without
// /proc.
func (p *Process) Memory(key string) int64 {
	p.t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(content)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			kB, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			Must(p.t, err)
			return kB << 10
		}
	}
	p.t.Fatalf("/proc has no %s", key)
	return 0
}
