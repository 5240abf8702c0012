package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/dyngate/dyngate/tests/bench/child"
)

// group is the part of a table in which the rivals are compared: they all do the
// same.
type group struct {
	scenario    scenario
	concurrency int
	samples     [][]sample // by rival, then by round
}

// measure runs a contest. Within each group the rivals take turns, and another
// one begins each round.
func (p *plan) measure(ctx context.Context, c contest) ([]group, error) {
	rivals, err := p.startAll(ctx, c)
	defer func() {
		for _, s := range rivals {
			err = errors.Join(err, s.stop())
		}
	}()
	if err != nil {
		return nil, err
	}
	groups := p.groups(c)
	for round := range p.rounds {
		for _, g := range groups {
			for i := range rivals {
				i = (i + round) % len(rivals)
				found, err := p.measureOne(ctx, rivals[i], g)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", c.rivals[i], err)
				}
				g.samples[i] = append(g.samples[i], found)
			}
		}
	}
	return groups, nil
}

func (p *plan) groups(c contest) (groups []group) {
	for _, s := range p.scenarios {
		if !slices.Contains(c.scenarios, s.name) {
			continue
		}
		for _, n := range p.concurrency {
			groups = append(groups, group{scenario: s, concurrency: n, samples: make([][]sample, len(c.rivals))})
		}
	}
	return groups
}

func (p *plan) startAll(ctx context.Context, c contest) (rivals []*process, err error) {
	start := startServer
	if c.clients {
		start = startClient
	}
	for i, rival := range c.rivals {
		args := processArgs(rival)
		if p.profiles != "" {
			args = append(args, "--profile="+filepath.Join(p.profiles, fmt.Sprintf("%s-%d.prof", c.name, i)))
		}
		s, err := start(ctx, args)
		if err != nil {
			return rivals, err
		}
		rivals = append(rivals, s)
	}
	return rivals, nil
}

// caller makes the calls of one scenario, on one connection.
type caller interface {
	// run keeps a number of calls in progress for a while, until all have ended.
	run(concurrency int, d time.Duration) (result, error)

	close() error
}

func (p *plan) measureOne(ctx context.Context, rival *process, g group) (none sample, err error) {
	c, err := rival.connect(ctx, g.scenario)
	if err != nil {
		return none, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	if _, err := c.run(g.concurrency, p.warmup); err != nil {
		return none, err
	}
	before, err := rival.usage()
	if err != nil {
		return none, err
	}
	peerBefore := child.OwnUsage()
	r, err := c.run(g.concurrency, p.duration)
	if err != nil {
		return none, err
	}
	peerAfter := child.OwnUsage()
	after, err := rival.usage()
	if err != nil {
		return none, err
	}
	return newSample(r, after.Since(before), peerAfter.Since(peerBefore)), nil
}
