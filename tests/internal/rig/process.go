package rig

import (
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// Process is a running process, of dyngate or of another program.
type Process struct {
	Cmd            *exec.Cmd
	Stdin          io.WriteCloser // set by Start
	Stdout, Stderr Buffer
	Addrs          []string // where it serves; set by AwaitAddrs

	t      testing.TB
	exited chan struct{}
	err    error // the result of Cmd.Wait, once exited is closed
}

// Serve starts `dyngate serve`, on a free port unless args contain --grpc, without
// HTTP unless they contain --http, and waits until it serves. When the test ends the process gets SIGTERM and must exit
// with status 0: the race detector would change that status.
func Serve(t testing.TB, args ...string) *Process {
	t.Helper()
	return serve(t, Patience, Binary(t), args)
}

// ServeUnraced is Serve without the race detector, and with another limit for the
// start.
func ServeUnraced(t testing.TB, limit time.Duration, args ...string) *Process {
	t.Helper()
	return serve(t, limit, UnracedBinary(t), args)
}

func serve(t testing.TB, limit time.Duration, binary string, args []string) *Process {
	t.Helper()
	if !slices.Contains(args, "--grpc") {
		args = append([]string{"--grpc", "127.0.0.1:0"}, args...)
	}
	if !slices.Contains(args, "--http") {
		args = append([]string{"--http", ""}, args...)
	}
	p := StartCommand(t, exec.Command(binary, append([]string{"serve"}, args...)...))
	t.Cleanup(p.Stop)
	p.AwaitAddrs(limit)
	p.awaitHealth()
	return p
}

// Start starts dyngate with standard input open, and does not wait. A process that
// still runs when the test ends is killed.
func Start(t testing.TB, args ...string) *Process {
	t.Helper()
	cmd := Command(t, args...)
	in, err := cmd.StdinPipe()
	Must(t, err)
	p := StartCommand(t, cmd)
	p.Stdin = in
	t.Cleanup(p.Kill)
	return p
}

// Command returns the command that runs dyngate with these arguments.
func Command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(Binary(t), args...)
	// By default a program with the race detector waits for a second before it
	// exits with status 0.
	cmd.Env = append(os.Environ(), "NO_PROXY=*", "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	return cmd
}

// StartCommand starts any command. Stdout and Stderr keep its output, except for
// what the command sends elsewhere.
func StartCommand(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Cmd: cmd, t: t, exited: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = &p.Stdout
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &p.Stderr
	}
	Must(t, cmd.Start())
	go func() { // ends with the process
		defer close(p.exited)
		p.err = cmd.Wait()
	}()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s\n%s%s", strings.Join(cmd.Args, " "), tail(p.Stdout.String()), tail(p.Stderr.String()))
		}
	})
	return p
}

var (
	servesOn       = regexp.MustCompile(`(?m)^gRPC, with reflection and health, on (.*)$`)
	servesHTTPOn   = regexp.MustCompile(`(?m)^HTTP, with JSON, Connect and gRPC-Web, on (.*)$`)
	servesOnInJSON = regexp.MustCompile(`"msg":"serving",.*"addresses":\["(.*?)"\]`) // with --log-format json
)

// AwaitAddrs reads the addresses that `dyngate serve` prints.
func (p *Process) AwaitAddrs(limit time.Duration) {
	p.t.Helper()
	eventuallyWithin(p.t, limit, "the addresses that dyngate prints", func() bool {
		if p.Exited() {
			p.t.Fatalf("dyngate has exited: %v\n%s", p.err, &p.Stderr)
		}
		if m := servesOn.FindStringSubmatch(p.Stdout.String()); m != nil {
			p.Addrs = strings.Split(m[1], ", ")
		}
		if m := servesOnInJSON.FindStringSubmatch(p.Stderr.String()); m != nil {
			p.Addrs = strings.Split(m[1], `","`)
		}
		return p.Addrs != nil
	})
}

// URL waits for the URL of the HTTP port, and returns it.
func (p *Process) URL() (url string) {
	p.t.Helper()
	Eventually(p.t, "the URL that dyngate prints", func() bool {
		if p.Exited() {
			p.t.Fatalf("dyngate has exited: %v\n%s", p.err, &p.Stderr)
		}
		if m := servesHTTPOn.FindStringSubmatch(p.Stdout.String()); m != nil {
			url, _, _ = strings.Cut(m[1], ", ")
		}
		return url != ""
	})
	return url
}

// awaitHealth waits until health at every address says SERVING.
func (p *Process) awaitHealth() {
	p.t.Helper()
	for _, addr := range p.Addrs {
		conn := Dial(p.t, addr)
		res, err := healthpb.NewHealthClient(conn).Check(Context(p.t), &healthpb.HealthCheckRequest{}, grpc.WaitForReady(true))
		if err != nil || res.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			p.t.Fatalf("health of %s: %v, %v", addr, res, err)
		}
		Must(p.t, conn.Close())
	}
}

// Addr returns the first address.
func (p *Process) Addr() string { return p.Addrs[0] }

// Exited reports whether the process has ended.
func (p *Process) Exited() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// Signal sends a signal.
func (p *Process) Signal(sig os.Signal) {
	p.t.Helper()
	if err := p.Cmd.Process.Signal(sig); err != nil && !p.Exited() {
		p.t.Errorf("signal %v: %v", sig, err)
	}
}

// SignalUntilExit repeats a signal until the process has ended.
func (p *Process) SignalUntilExit(sig os.Signal) {
	p.t.Helper()
	Eventually(p.t, "the process to end", func() bool {
		_ = p.Cmd.Process.Signal(sig) // it may have ended just now
		return p.Exited()
	})
}

// Stop stops the process by SIGTERM. It must exit with status 0.
func (p *Process) Stop() {
	p.t.Helper()
	if p.Exited() {
		return
	}
	p.Signal(syscall.SIGTERM)
	if err := p.Wait(); err != nil {
		p.t.Errorf("%v: %v\n%s", p.Cmd.Args, err, tail(p.Stderr.String()))
	}
}

// Kill ends the process at once.
func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill()
	<-p.exited
}

// Wait waits until the process has ended and returns the result of exec.Cmd.Wait.
// A process that does not end is killed, and fails the test.
func (p *Process) Wait() error {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(Patience):
		p.Kill()
		p.t.Errorf("%v does not end", p.Cmd.Args)
	}
	return p.err
}

// AwaitStdout waits until all of want has been printed.
func (p *Process) AwaitStdout(want ...string) {
	p.t.Helper()
	await(p.t, &p.Stdout, "output", want)
}

// AwaitStderr waits until all of want has been logged.
func (p *Process) AwaitStderr(want ...string) {
	p.t.Helper()
	await(p.t, &p.Stderr, "log", want)
}

func await(t testing.TB, b *Buffer, what string, want []string) {
	t.Helper()
	for _, w := range want {
		Eventually(t, what+" with "+w, func() bool { return strings.Contains(b.String(), w) })
	}
}
