package server

import (
	"testing"
	"time"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// attacks are the attacks to measure, with their numbers of connections.
var attacks = []struct {
	name   string
	conns  int
	attack attack
}{
	{"RapidReset", 4, attack{run: rapidReset}},
	{"MadeReset", 4, attack{run: madeReset}},
	{"Settings", 4, attack{run: settingsFlood}},
	{"GzipBombs", 8, attack{run: gzipBombs(rig.SayHello, 4<<20-100)}},
	{"HeldHeaders", 4, attack{run: heldHeaders}},
	{"NeverReads", 8, attack{run: neverReads, small: true}},
	{"TinyUnread", 4, attack{run: tinyUnread, small: true}},
}

// BenchmarkFlood measures the sequential calls per second of a well-behaved client
// during each attack, and the server's memory. Run it with
// -benchtime 1x; its figures are those of docs/benchmarks.md.
func BenchmarkFlood(b *testing.B) {
	for _, flooding := range attacks {
		b.Run(flooding.name, func(b *testing.B) {
			for b.Loop() {
				p := rig.ServeUnraced(b, rig.Patience)
				alone, _ := neighbour(b, p.Addr(), 2*time.Second)
				stop, ended := flood(b, p.Addr(), flooding.conns, flooding.attack)
				beside, worst := neighbour(b, p.Addr(), 6*time.Second)
				stop()
				b.ReportMetric(float64(ended.Load()), "ended")
				b.ReportMetric(float64(alone)/2, "calls/s-alone")
				b.ReportMetric(float64(beside)/6, "calls/s")
				b.ReportMetric(worst.Seconds()*1000, "ms-worst")
				b.ReportMetric(float64(p.Memory("VmHWM"))/1e6, "MB-peak")
				p.Kill()
			}
		})
	}
}

// neighbour makes calls, one after the other, and returns how many have succeeded,
// and how long the slowest took.
func neighbour(t testing.TB, addr string, d time.Duration) (calls int, worst time.Duration) {
	t.Helper()
	conn := rig.Dial(t, addr)
	defer conn.Close()
	failed := 0
	for begin := time.Now(); time.Since(begin) < d; {
		start := time.Now()
		if _, err := rig.Invoke(rig.Context(t), conn, rig.SayHello, rig.Text(1, "you")); err != nil {
			failed++
			t.Log(err)
			continue
		}
		calls++
		worst = max(worst, time.Since(start))
	}
	if failed > 0 {
		t.Errorf("%d calls failed", failed)
	}
	return calls, worst
}
