package main

import (
	"math"
	"slices"
	"time"

	"github.com/dyngate/dyngate/tests/bench/child"
)

// sample is what one measurement of one process found. Its peer is the process
// at the other end of the connection.
type sample struct {
	rate     float64 // calls per second
	p50, p99 time.Duration
	cpu      time.Duration // per call
	peer     time.Duration // CPU time of the peer, per call
	allocs   float64       // per call
	bytes    float64       // allocated, per call
}

// newSample sums up the calls of a run and what the two processes used
// meanwhile.
func newSample(r result, own, peer child.Usage) sample {
	n := float64(len(r.Latencies))
	slices.Sort(r.Latencies)
	return sample{
		rate:   n / r.Took.Seconds(),
		p50:    percentile(r.Latencies, 50),
		p99:    percentile(r.Latencies, 99),
		cpu:    time.Duration(float64(own.CPU) / n),
		peer:   time.Duration(float64(peer.CPU) / n),
		allocs: float64(own.Allocs) / n,
		bytes:  float64(own.Bytes) / n,
	}
}

// percentile returns the value that p percent of the sorted values do not
// exceed.
func percentile[T any](sorted []T, p float64) (none T) {
	if len(sorted) == 0 {
		return none
	}
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

// median returns the middle of the values, or the mean of the middle two.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}

// over returns the median of one figure over the turns.
func over(samples []sample, figure func(sample) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = figure(s)
	}
	return median(values)
}

// ratio returns the median over the turns of a figure divided by that of the
// base in the same turn, so that what slows a whole turn down cancels out.
func ratio(samples, base []sample, figure func(sample) float64) float64 {
	values := make([]float64, min(len(samples), len(base)))
	for i := range values {
		values[i] = figure(samples[i]) / figure(base[i])
	}
	return median(values)
}

func rate(s sample) float64      { return s.rate }
func cpu(s sample) float64       { return float64(s.cpu) }
func peer(s sample) float64      { return float64(s.peer) }
func p50(s sample) float64       { return float64(s.p50) }
func p99(s sample) float64       { return float64(s.p99) }
func allocs(s sample) float64    { return s.allocs }
func allocated(s sample) float64 { return s.bytes }
