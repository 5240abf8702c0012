package tests

import (
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

// process is a running dyngate.
type process struct {
	t        testing.TB
	cmd      *exec.Cmd
	out, log buffer // standard output and standard error
	addrs    []string
	exited   chan struct{}
	err      error // what Wait said, once exited is closed
}

// serve starts `dyngate serve` on a free port, unless args say where, and waits
// until it serves. At the test's end it is stopped by SIGTERM and must exit
// with status 0: with the race detector on, a race is another.
func serve(t testing.TB, args ...string) *process {
	t.Helper()
	return serveWithin(t, patience, dyngate, args...)
}

func serveWithin(t testing.TB, d time.Duration, binary string, args ...string) *process {
	t.Helper()
	if !slices.Contains(args, "--grpc") {
		args = append([]string{"--grpc", "127.0.0.1:0"}, args...)
	}
	p := launch(t, binary, append([]string{"serve"}, args...)...)
	t.Cleanup(p.stop)
	p.awaitAddrs(d)
	p.awaitHealth()
	return p
}

// launch starts the binary and waits for nothing.
func launch(t testing.TB, binary string, args ...string) *process {
	t.Helper()
	return begin(t, exec.Command(binary, args...))
}

// begin starts any command. Its output is kept, unless it has one already.
func begin(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	sourceIsInput()
	p := &process{t: t, cmd: cmd, exited: make(chan struct{})}
	if p.cmd.Stdout == nil {
		p.cmd.Stdout = &p.out
	}
	if p.cmd.Stderr == nil {
		p.cmd.Stderr = &p.log
	}
	must(t, p.cmd.Start())
	go func() { // ends with the process
		defer close(p.exited)
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s\n%s%s", strings.Join(cmd.Args, " "), tail(p.out.String(), 8000), tail(p.log.String(), 8000))
		}
	})
	return p
}

// tail is the end of a long text.
func tail(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return "...\n" + s[len(s)-n:]
}

var (
	served       = regexp.MustCompile(`(?m)^gRPC, with reflection and health, on (.*)$`)
	servedInJSON = regexp.MustCompile(`"msg":"serving",.*"addresses":\["(.*)"\]`) // with --log-format json
)

// awaitAddrs reads the addresses that the process prints.
func (p *process) awaitAddrs(d time.Duration) {
	p.t.Helper()
	eventuallyWithin(p.t, d, "the addresses that dyngate prints", func() bool {
		if p.hasExited() {
			p.t.Fatalf("dyngate has exited: %v\n%s", p.err, &p.log)
		}
		if m := served.FindStringSubmatch(p.out.String()); m != nil {
			p.addrs = strings.Split(m[1], ", ")
		}
		if m := servedInJSON.FindStringSubmatch(p.log.String()); m != nil {
			p.addrs = strings.Split(m[1], `","`)
		}
		return p.addrs != nil
	})
}

// awaitHealth waits until every address says that it is serving.
func (p *process) awaitHealth() {
	p.t.Helper()
	for _, addr := range p.addrs {
		conn := dial(p.t, addr)
		res, err := healthpb.NewHealthClient(conn).Check(timeout(p.t), &healthpb.HealthCheckRequest{}, grpc.WaitForReady(true))
		if err != nil || res.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			p.t.Fatalf("health of %s: %v, %v", addr, res, err)
		}
		must(p.t, conn.Close())
	}
}

// addr is the first address.
func (p *process) addr() string { return p.addrs[0] }

func (p *process) hasExited() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

func (p *process) signal(sig os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil && !p.hasExited() {
		p.t.Errorf("signal %v: %v", sig, err)
	}
}

// signalUntilExit repeats a signal until the process has ended.
func (p *process) signalUntilExit(sig os.Signal) {
	p.t.Helper()
	eventually(p.t, "the process to end", func() bool {
		_ = p.cmd.Process.Signal(sig) // it may have ended just now
		return p.hasExited()
	})
}

// stop stops the process by SIGTERM and checks how it exits.
func (p *process) stop() {
	p.t.Helper()
	if p.hasExited() {
		return
	}
	p.signal(syscall.SIGTERM)
	p.awaitExit()
	if p.err != nil {
		p.t.Errorf("dyngate: %v\n%s", p.err, tail(p.log.String(), 8000))
	}
}

// awaitExit waits until the process has ended, and kills it if it does not.
func (p *process) awaitExit() {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.exited
		p.t.Errorf("dyngate does not end")
	}
}

// awaitLog waits until the log has all of these.
func (p *process) awaitLog(want ...string) {
	p.t.Helper()
	for _, w := range want {
		eventually(p.t, "the log to have "+w, func() bool { return strings.Contains(p.log.String(), w) })
	}
}

// refuse runs `dyngate serve` with what it has to refuse and returns what it
// says.
func refuse(t testing.TB, args ...string) string {
	t.Helper()
	return refuseWith(t, 1, args...)
}

// refuseWith is refuse with another exit status.
func refuseWith(t testing.TB, status int, args ...string) string {
	t.Helper()
	p := launch(t, dyngate, append([]string{"serve", "--grpc", "127.0.0.1:0"}, args...)...)
	p.awaitExit()
	if code := p.cmd.ProcessState.ExitCode(); code != status {
		t.Errorf("exit status %d, want %d", code, status)
	}
	return p.log.String()
}
