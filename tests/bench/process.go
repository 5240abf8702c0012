package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/dyngate/dyngate/tests/bench/child"
)

// process is a rival in a process of its own.
type process struct {
	connect func(context.Context, scenario) (caller, error)
	usage   func() (child.Usage, error)
	stop    func() error

	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startServer starts a server, which a load will call.
func startServer(ctx context.Context, args []string) (*process, error) {
	if args[0] == "--kind="+shippedKind {
		return startShipped(ctx)
	}
	program, err := os.Executable()
	if kind := strings.TrimPrefix(args[0], "--kind="); slices.Contains(peerKinds, kind) {
		program, err = buildPeers(ctx)
	}
	if err != nil {
		return nil, err
	}
	p, addr, err := start(ctx, program, "serve", args)
	if err != nil {
		return nil, err
	}
	p.connect = func(ctx context.Context, s scenario) (caller, error) {
		if s.web != nil {
			return newWebLoad(ctx, addr, s)
		}
		return dial(ctx, addr, s.method, s)
	}
	return p, nil
}

// start runs a program of the benchmark, and returns the line that it begins with.
func start(ctx context.Context, program, role string, args []string) (p *process, line string, err error) {
	cmd := exec.CommandContext(ctx, program, append([]string{role}, args...)...)
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = 10 * time.Second
	p = &process{cmd: cmd}
	p.stop = p.hangUp
	p.usage = func() (child.Usage, error) {
		var u child.Usage
		err := p.ask(child.Command{Do: child.TellUsage}, &u)
		return u, err
	}
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	p.out = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	if line, err = p.out.ReadString('\n'); err != nil {
		return nil, "", fmt.Errorf("%s %q did not start: %w", role, args, cmd.Wait())
	}
	return p, strings.TrimSpace(line), nil
}

// ask has the process follow a command, and reads its answer.
func (p *process) ask(c child.Command, answer any) error {
	if err := json.NewEncoder(p.in).Encode(c); err != nil {
		return err
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return err // the process has told why, on standard error
	}
	return json.Unmarshal(line, answer)
}

// hangUp ends the process: it goes when its standard input does.
func (p *process) hangUp() error {
	_ = p.in.Close()
	return p.cmd.Wait()
}
