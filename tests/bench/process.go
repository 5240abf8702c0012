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
func startSelf(ctx context.Context, command string, args []string) (p *process, line string, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{command}, args...)...)
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = 10 * time.Second
	p = &process{cmd: cmd}
	p.stop = p.hangUp
	p.usage = func() (u usage, err error) { return u, p.ask("usage", &u) }
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
		return nil, "", fmt.Errorf("%s %q did not start: %w", command, args, cmd.Wait())
	}
	return p, strings.TrimSpace(line), nil
}

// ask has the process follow a command, and reads its answer.
func (p *process) ask(command string, answer any) error {
	if _, err := fmt.Fprintln(p.in, command); err != nil {
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
func follow(in io.Reader, out io.Writer, first string, obey func(command string) (any, error)) error {
	if _, err := fmt.Fprintln(out, first); err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		answer, err := obey(lines.Text())
		if err != nil {
			return err
		}
		if err := encoder.Encode(answer); err != nil {
			return err
		}
	}
	return lines.Err()
}
