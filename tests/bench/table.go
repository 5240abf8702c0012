package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

func printMachine(w io.Writer) {
	fmt.Fprintf(w, "%s, %d cores, %s, %s/%s\n", cmp.Or(cpuModel(), "unknown CPU"),
		runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// cpuModel is empty where the system does not tell it this way.
func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// printTable prints a contest, each line with its ratios to the first rival's,
// and how it stands with the targets.
func printTable(w io.Writer, c contest, groups []group) {
	fmt.Fprintf(w, "\n%s: medians, and ratios to %s\n", c.name, c.rivals[0])
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "message\tat once\tkind\tcalls/s\tratio\tp50\tp99\tCPU/call\tratio\tallocs\tB/call\tpeer CPU\t")
	for _, g := range groups {
		for i, s := range g.samples {
			fmt.Fprintf(t, "%s\t%d\t%s\t%.0f\t%.2f\t%s\t%s\t%s\t%.2f\t%s\t%s\t%s\t\n",
				g.scenario.name, g.concurrency, c.rivals[i],
				over(s, rate), ratio(s, g.samples[0], rate), micros(over(s, p50)), micros(over(s, p99)),
				micros(over(s, cpu)), ratio(s, g.samples[0], cpu), known("%.1f", over(s, allocs)), known("%.0f", over(s, allocated)), micros(over(s, peer)))
		}
		fmt.Fprintln(t, strings.Repeat("\t", 12))
	}
	_ = t.Flush()
	for _, goal := range c.targets {
		for _, g := range groups {
			if g.scenario.name == goal.scenario {
				fmt.Fprintln(w, goal.verdict(c, g))
			}
		}
	}
}

// known is a figure that not every process tells.
func known(format string, figure float64) string {
	if figure == 0 {
		return "-"
	}
	return fmt.Sprintf(format, figure)
}

func micros(ns float64) string { return fmt.Sprintf("%.1fus", ns/float64(time.Microsecond)) }
