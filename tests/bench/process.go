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
	addr string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

func start(ctx context.Context, args []string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"serve"}, args...)...)
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = 10 * time.Second
	p := &process{cmd: cmd}
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

func (p *process) usage() (u usage, err error) {
	if _, err := io.WriteString(p.in, "usage\n"); err != nil {
		return u, err
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return u, err
	}
	return u, json.Unmarshal(line, &u)
}

// stop ends the process: it goes when its standard input does.
func (p *process) stop() error {
	_ = p.in.Close()
	return p.cmd.Wait()
}
