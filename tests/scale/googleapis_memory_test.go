package scale

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestGoogleapisMemory edits a file of googleapis many times while a client lists
// all services with all their files between the edits: the process must not
// take much more than at rest, and must return memory afterwards. It is not
// parallel.
func TestGoogleapisMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("what a process takes is read from /proc")
	}
	const limit = 1.6
	edits := 20
	if n, err := strconv.Atoi(os.Getenv("DYNGATE_EDITS")); err == nil {
		edits = n
	}
	corpus := googleapis(t)
	leaf := rig.Read(t, filepath.Join(corpus, leafFile))
	front := rig.Folder(t, map[string]string{leafFile: leaf})
	p := rig.ServeUnraced(t, 4*rig.Patience, "--lenient", "--log-format", "json", front, corpus)
	conn := rig.Dial(t, p.Addr(), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	idle := settledMemory(t, p)
	peak := func() int64 { return p.Memory("VmHWM") }
	start := peak()
	rig.Must(t, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.Cmd.Process.Pid), []byte("5"), 0)) // forget the peak
	began := time.Now()
	for i := range edits {
		method := fmt.Sprintf("Edit%d", i)
		rig.Replace(t, filepath.Join(front, leafFile), withMethod(t, leaf, method))
		rig.Eventually(t, method, func() bool {
			_, err := rig.Invoke(t.Context(), conn, leafService+method, nil)
			return strings.Contains(fmt.Sprint(err), "no handler answers it")
		})
		countMethods(t, conn)
	}
	took := time.Since(began)
	highest, last := peak(), p.Memory("VmRSS")
	after := settledMemory(t, p)
	var reloads []time.Duration
	for _, m := range regexp.MustCompile(`"generation":(\d+),.*"took_ms":([\d.]+)`).FindAllStringSubmatch(p.Stderr.String(), -1) {
		if ms, _ := strconv.ParseFloat(m[2], 64); m[1] != "1" {
			reloads = append(reloads, time.Duration(ms*float64(time.Millisecond)))
		}
	}
	slices.Sort(reloads)
	if len(reloads) < edits {
		t.Fatalf("%d reloads of %d edits", len(reloads), edits)
	}
	t.Logf("start: peak %d MiB, then %d MiB; %d edits in %v: peak %d MiB, %d MiB at the end, then %d MiB; median reload %v, worst %v",
		start>>20, idle>>20, edits, took.Round(time.Second), highest>>20, last>>20, after>>20,
		reloads[len(reloads)/2], reloads[len(reloads)-1])
	if float64(highest) > limit*float64(idle) {
		t.Errorf("the peak is %.2f times what it takes at rest", float64(highest)/float64(idle))
	}
	if float64(after) > 1.15*float64(idle) {
		t.Errorf("it keeps %.2f times what it took before", float64(after)/float64(idle))
	}
}

// settledMemory waits until the process returns no more memory, and returns its
// size.
func settledMemory(t testing.TB, p *rig.Process) int64 {
	t.Helper()
	last, since := p.Memory("VmRSS"), time.Now()
	rig.Eventually(t, "the memory to settle", func() bool {
		now := p.Memory("VmRSS")
		if now < last-last/100 {
			last, since = now, time.Now()
		}
		return time.Since(since) > 10*time.Second
	})
	return last
}
