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

// process is a server in a process of its own.
type process struct {
	addr    string
	methods map[string]string // the paths of methods that are others here
	usage   func() (usage, error)
	stop    func() error

	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// method is the path of a method of the benchmark's service.
func (p *process) method(path string) string {
	if other := p.methods[path]; other != "" {
		return other
	}
	return path
}

func start(ctx context.Context, args []string) (*process, error) {
	if args[0] == "--kind="+shippedKind {
		return startShipped(ctx)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"serve"}, args...)...)
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = 10 * time.Second
	p := &process{cmd: cmd}
	p.usage, p.stop = p.ask, p.hangUp
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	addr, err := p.out.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the server %q did not start: %w", args, cmd.Wait())
	}
	p.addr = strings.TrimSpace(addr)
	return p, nil
}

// ask asks the process what it has used.
func (p *process) ask() (u usage, err error) {
	if _, err := io.WriteString(p.in, "usage\n"); err != nil {
		return u, err
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return u, err
	}
	return u, json.Unmarshal(line, &u)
}

// hangUp ends the process: it goes when its standard input does.
func (p *process) hangUp() error {
	_ = p.in.Close()
	return p.cmd.Wait()
}
