package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/dyngate/dyngate/tests/bench/child"
)

// startClient starts a client, which will call a replier of this process.
func startClient(ctx context.Context, args []string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, _, err := start(ctx, self, "call", args)
	if err != nil {
		return nil, err
	}
	p.connect = func(_ context.Context, s scenario) (caller, error) {
		r, err := newReplier(s)
		if err != nil {
			return nil, err
		}
		if err := p.ask(child.Command{Do: child.ConnectStub, Addr: r.addr(), Scenario: s.name}, new(any)); err != nil {
			return nil, errors.Join(err, r.close())
		}
		return client{process: p, server: r}, nil
	}
	return p, nil
}

// client is a stub in another process, connected with a replier in this one.
type client struct {
	process *process
	server  *replier
}

func (c client) run(concurrency int, d time.Duration) (result, error) {
	var r result
	err := c.process.ask(child.Command{Do: child.MakeCalls, Concurrency: concurrency, Duration: d}, &r)
	return r, err
}

func (c client) close() error {
	return errors.Join(c.process.ask(child.Command{Do: child.CloseStub}, new(any)), c.server.close())
}

// runClient is a client process. It follows the commands on standard input, and
// ends with that.
func runClient(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("call", flag.ContinueOnError)
	kind := flags.String("kind", "struct", "generated, struct or dynamic")
	profile := flags.String("profile", "", "write a CPU profile to `FILE`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	stopProfile, err := child.Profile(*profile)
	if err != nil {
		return err
	}
	var s *stub
	err = child.Follow(os.Stdin, os.Stdout, "ready", func(c child.Command) (answer any, err error) {
		switch c.Do {
		case child.TellUsage:
			return child.OwnUsage(), nil
		case child.ConnectStub:
			s, err = dialStub(ctx, *kind, c.Addr, scenarioNamed(c.Scenario))
			return nil, err
		case child.MakeCalls:
			return s.run(ctx, c.Concurrency, c.Duration)
		case child.CloseStub:
			return nil, s.close()
		}
		return nil, fmt.Errorf("no such command: %q", c.Do)
	})
	return errors.Join(err, stopProfile())
}
