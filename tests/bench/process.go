package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// process is a rival in a process of its own.
type process struct {
	connect func(context.Context, scenario) (caller, error)
	usage   func() (usage, error)
	stop    func() error

	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// command is what a process is asked to do.
type command struct {
	Do             string
	Addr, Scenario string        // of connectStub
	Concurrency    int           // of makeCalls
	Duration       time.Duration // of makeCalls
}

// What a command can be. Servers know the first alone.
const (
	tellUsage   = "usage"
	connectStub = "connect"
	makeCalls   = "run"
	closeStub   = "close"
)

// startServer starts a server, which a load will call.
func startServer(ctx context.Context, args []string) (*process, error) {
	if args[0] == "--kind="+shippedKind {
		return startShipped(ctx)
	}
	p, addr, err := startSelf(ctx, "serve", args)
	if err != nil {
		return nil, err
	}
	p.connect = func(ctx context.Context, s scenario) (caller, error) { return dial(ctx, addr, s.method, s) }
	return p, nil
}

// startSelf runs this program again, and returns the line that it begins with.
func startSelf(ctx context.Context, role string, args []string) (p *process, line string, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{role}, args...)...)
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = 10 * time.Second
	p = &process{cmd: cmd}
	p.stop = p.hangUp
	p.usage = func() (usage, error) {
		var u usage
		err := p.ask(command{Do: tellUsage}, &u)
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
func (p *process) ask(c command, answer any) error {
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

// follow is the other end of ask: it writes the first line, follows the commands
// that come, and returns when no more can.
func follow(in io.Reader, out io.Writer, first string, obey func(command) (any, error)) error {
	if _, err := fmt.Fprintln(out, first); err != nil {
		return err
	}
	commands, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var c command
		if err := commands.Decode(&c); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		answer, err := obey(c)
		if err != nil {
			return err
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
}
