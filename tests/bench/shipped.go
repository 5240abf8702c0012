package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/dyngate/dyngate/tests/bench/benchpb"
	"github.com/dyngate/dyngate/tests/bench/child"
)

// shippedKind is the dyngate binary itself, serving what it ships. Only hello
// can be asked of it: tutorial.Greeter greets with the very bytes that the
// benchmark's own service has.
const shippedKind = "dyngate"

var shippedMethods = map[string]string{benchpb.Shop_Greet_FullMethodName: "/tutorial.Greeter/SayHello"}

// startShipped builds dyngate and serves with it.
func startShipped(ctx context.Context) (*process, error) {
	folder, err := os.MkdirTemp("", "dyngate-bench")
	if err != nil {
		return nil, err
	}
	binary := filepath.Join(folder, "dyngate")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/dyngate/dyngate/cmd/dyngate")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building dyngate: %w: %s", err, out)
	}
	cmd := exec.CommandContext(ctx, binary, "serve", "--grpc=127.0.0.1:0")
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, out: bufio.NewReader(out)}
	var addr string
	p.connect = func(ctx context.Context, s scenario) (caller, error) {
		return dial(ctx, addr, cmp.Or(shippedMethods[s.method], s.method), s)
	}
	p.usage = func() (child.Usage, error) { return usageOf(cmd.Process.Pid) }
	p.stop = func() error {
		defer func() { _ = os.RemoveAll(folder) }()
		_ = cmd.Process.Signal(syscall.SIGTERM)
		return cmd.Wait()
	}
	for {
		line, err := p.out.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("dyngate did not start: %w", cmd.Wait())
		}
		if _, last, ok := strings.Cut(line, "health, on "); ok {
			addr = strings.TrimSpace(last)
			return p, nil
		}
	}
}

// usageOf is the CPU time of another process, which Linux tells in hundredths
// of a second (proc_pid_stat(5)). What it allocates is not known.
func usageOf(pid int) (u child.Usage, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	const user, system = 11, 12 // counted behind the name, which may hold anything
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+2:]))
	for _, i := range []int{user, system} {
		ticks, err := strconv.Atoi(fields[i])
		if err != nil {
			return u, err
		}
		u.CPU += time.Duration(ticks) * 10 * time.Millisecond
	}
	return u, nil
}
