package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"
)

// plan is what to measure, and for how long.
type plan struct {
	contests    []contest
	scenarios   []scenario
	concurrency []int
	rounds      int
	warmup      time.Duration
	duration    time.Duration
	profiles    string
}

// contest is a set of rivals that are compared with the first of them.
type contest struct {
	name      string
	clients   bool // they are clients, not servers
	scenarios []string
	rivals    []string // the kind and further arguments of a process
	targets   []target
}

// serverScenarios have one reply for each method, which servers answer with that
// do not look at the request.
var serverScenarios = []string{"hello", "order"}

func standardContests() []contest {
	return append([]contest{
		{
			name: "equal options", scenarios: serverScenarios,
			rivals: []string{"generated --equal", "struct --equal", "dynamic --equal", "raw --equal"},
			targets: []target{
				{rival: "struct --equal", scenario: "hello", figure: cpu, unit: "CPU/call", atMost: 0.95},
				{rival: "struct --equal", scenario: "hello", figure: rate, unit: "calls/s", atLeast: 1},
				{rival: "struct --equal", scenario: "order", figure: cpu, unit: "CPU/call", atMost: 0.80},
				{rival: "struct --equal", scenario: "order", figure: rate, unit: "calls/s", atLeast: 1.25},
			},
		},
		{
			name: "as shipped", scenarios: serverScenarios,
			rivals: []string{"generated", "struct", "dynamic", "raw"},
		},
		{
			name: "the binary", scenarios: []string{"hello"},
			rivals:  []string{"generated", shippedKind},
			targets: []target{{rival: shippedKind, scenario: "hello", figure: cpu, unit: "CPU/call", atMost: 0.80}},
		},
		{
			name: "clients", clients: true, scenarios: []string{"hello", "small order", "order"},
			rivals: []string{"generated", "struct", "dynamic"},
			targets: []target{
				{rival: "struct", scenario: "hello", figure: rate, unit: "calls/s", atLeast: 1},
				{rival: "struct", scenario: "hello", figure: cpu, unit: "CPU/call", atMost: 1},
				{rival: "struct", scenario: "small order", figure: rate, unit: "calls/s", atLeast: 1.3},
				{rival: "struct", scenario: "small order", figure: cpu, unit: "CPU/call", atMost: 1 / 1.3},
				{rival: "struct", scenario: "order", figure: rate, unit: "calls/s", atLeast: 1.3},
				{rival: "struct", scenario: "order", figure: cpu, unit: "CPU/call", atMost: 1 / 1.3},
			},
		},
	}, webContests()...)
}

func parsePlan(args []string) (*plan, error) {
	p := &plan{contests: standardContests(), scenarios: scenarios(), concurrency: []int{1, 64}}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&p.rounds, "rounds", 5, "how often to measure each cell")
	flags.DurationVar(&p.duration, "duration", time.Second, "how long to measure each cell")
	flags.DurationVar(&p.warmup, "warmup", 300*time.Millisecond, "how long to warm up before")
	flags.StringVar(&p.profiles, "profiles", "", "write the CPU profiles of what is measured into `FOLDER`")
	only := flags.String("only", "", "measure only the contests and scenarios with these `NAMES`: equal options, as shipped, the binary, clients, http, connect, hello, small order, order, 'GET hello' and the like; separated by commas")
	servers := flags.String("servers", "", "compare these servers instead, `ARGUMENTS` of serve separated by commas, as in 'struct --workers=0,struct --workers=64'")
	clients := flags.String("clients", "", "compare these clients instead, `ARGUMENTS` of call separated by commas, as in generated,struct,generated")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if p.rounds < 1 || p.duration <= 0 {
		return nil, errors.New("--rounds and --duration must be positive")
	}
	if *servers != "" || *clients != "" {
		p.contests = nil
	}
	if *servers != "" {
		p.contests = append(p.contests, customContest(strings.Split(*servers, ",")))
	}
	if *clients != "" {
		p.contests = append(p.contests, contest{name: "custom", clients: true, scenarios: []string{"hello", "small order", "order"}, rivals: strings.Split(*clients, ",")})
	}
	if *only != "" {
		p.restrict(strings.Split(*only, ","))
	}
	return p, nil
}

// customContest compares servers of one protocol.
func customContest(servers []string) contest {
	c := contest{name: "custom", scenarios: serverScenarios, rivals: servers}
	for _, known := range webContests() {
		if slices.Contains(known.rivals, strings.Fields(servers[0] + " ")[0]) {
			c.scenarios = known.scenarios
			break
		}
	}
	return c
}

// restrict keeps the contests and scenarios that are named, or all where none
// is.
func (p *plan) restrict(names []string) {
	p.contests = named(p.contests, names, func(c contest) string { return c.name })
	p.scenarios = named(p.scenarios, names, func(s scenario) string { return s.name })
}

func named[T any](all []T, names []string, name func(T) string) (kept []T) {
	for _, v := range all {
		for _, n := range names {
			if name(v) == n {
				kept = append(kept, v)
			}
		}
	}
	if len(kept) == 0 {
		return all
	}
	return kept
}

// processArgs are the arguments of the process of a rival.
func processArgs(rival string) []string {
	words := strings.Fields(rival)
	return append([]string{"--kind=" + words[0]}, words[1:]...)
}
