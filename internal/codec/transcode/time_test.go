package transcode

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestTimes compares times in the whole range with package time.
func TestTimes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	check := func(seconds int64) {
		want := time.Unix(seconds, 0).UTC().Format("2006-01-02T15:04:05")
		if got := string(appendTime(nil, seconds)); got != want {
			t.Fatalf("%d is written as %s, want %s", seconds, got, want)
		}
		got, nanos, ok := parseUTC([]byte(want + ".5Z"))
		if got != seconds || nanos != 500_000_000 || !ok {
			t.Fatalf("%s is read as %d, %d, %v", want, got, nanos, ok)
		}
	}
	for day := int64(minTimestamp); day < maxTimestamp; day += 5 * secondsPerDay {
		check(day)
		check(day + r.Int64N(5*secondsPerDay))
	}
	for _, seconds := range []int64{minTimestamp, maxTimestamp, 0, -1, 951782400, 951868799, 951868800} {
		check(seconds)
	}
}
