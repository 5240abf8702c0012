package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"google.golang.org/protobuf/proto"
)

// group is the part of a table in which the servers are compared: they all do
// the same.
type group struct {
	scenario    scenario
	concurrency int
	samples     [][]sample // by server, then by round
}

// measure runs a contest. Within each group the servers take turns, and another
// one begins each round.
func (p *plan) measure(ctx context.Context, c contest) ([]group, error) {
	servers, err := p.startAll(ctx, c)
	defer func() {
		for _, s := range servers {
			err = errors.Join(err, s.stop())
		}
	}()
	if err != nil {
		return nil, err
	}
	groups := p.groups(c)
	for round := range p.rounds {
		for _, g := range groups {
			for i := range servers {
				i = (i + round) % len(servers)
				found, err := p.measureOne(ctx, servers[i], g)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", c.servers[i], err)
				}
				g.samples[i] = append(g.samples[i], found)
			}
		}
	}
	return groups, nil
}

func (p *plan) groups(c contest) (groups []group) {
	for _, s := range p.scenarios {
		if c.scenario != "" && c.scenario != s.name {
			continue
		}
		for _, n := range p.concurrency {
			groups = append(groups, group{scenario: s, concurrency: n, samples: make([][]sample, len(c.servers))})
		}
	}
	return groups
}

func (p *plan) startAll(ctx context.Context, c contest) (servers []*process, err error) {
	for i, server := range c.servers {
		args := serverArgs(server)
		if p.profiles != "" {
			args = append(args, "--profile="+filepath.Join(p.profiles, fmt.Sprintf("%s-%d.prof", c.name, i)))
		}
		s, err := start(ctx, args)
		if err != nil {
			return servers, err
		}
		servers = append(servers, s)
	}
	return servers, nil
}

func (p *plan) measureOne(ctx context.Context, server *process, g group) (none sample, err error) {
	message, err := proto.Marshal(g.scenario.in)
	if err != nil {
		return none, err
	}
	l, err := dial(ctx, server.addr, server.method(g.scenario.method), message)
	if err != nil {
		return none, err
	}
	defer l.close()
	reply, err := l.once()
	if err != nil {
		return none, err
	}
	if err := g.scenario.check(reply); err != nil {
		return none, err
	}
	if _, err := l.run(g.concurrency, p.warmup); err != nil {
		return none, err
	}
	before, err := server.usage()
	if err != nil {
		return none, err
	}
	clientBefore := ownUsage()
	r, err := l.run(g.concurrency, p.duration)
	if err != nil {
		return none, err
	}
	clientAfter := ownUsage()
	after, err := server.usage()
	if err != nil {
		return none, err
	}
	return newSample(r, after.since(before), clientAfter.since(clientBefore)), nil
}
