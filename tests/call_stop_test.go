package tests

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestSignalsStopCalls stops calls that would go on for ever: one that waits for
// its request, and one that waits for answers.
func TestSignalsStopCalls(t *testing.T) {
	t.Parallel()
	addr := generatedServer(t)
	for name, args := range map[string][]string{
		"request": {"call", addr, "Check", "-d", "-", "-v"},
		"answers": {"call", addr, "Watch", "-v"},
	} {
		for sig, exit := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
			p := beginWaiting(t, args...)
			if name == "answers" {
				eventually(t, "an answer", func() bool { return strings.Contains(p.out.String(), "SERVING") })
			} else {
				p.awaitLog("Health/Check(")
			}
			p.signal(sig)
			p.awaitExit()
			if got := p.cmd.ProcessState.ExitCode(); got != exit {
				t.Errorf("%s, %v: status %d, want %d\n%s", name, sig, got, exit, &p.log)
			}
		}
	}
}

func TestDeadlineWhileTheRequestIsAwaited(t *testing.T) {
	t.Parallel()
	p := beginWaiting(t, "call", generatedServer(t), "Check", "-d", "-", "--deadline", "100ms")
	p.awaitExit()
	contains(t, p.log.String(), "--data", "deadline exceeded")
	if got := p.cmd.ProcessState.ExitCode(); got != 64+4 {
		t.Errorf("status %d", got)
	}
}

// TestClosedOutput checks that nobody is bothered when `dyngate list | head` has
// seen enough.
func TestClosedOutput(t *testing.T) {
	t.Parallel()
	addr := generatedServer(t)
	for _, args := range [][]string{{"list", addr}, {"describe", addr}, {"call", addr, "Check"}} {
		r, w, err := os.Pipe()
		must(t, err)
		must(t, r.Close())
		cmd := exec.Command(dyngate, args...)
		cmd.Stdout = w
		p := begin(t, cmd)
		p.awaitExit()
		must(t, w.Close())
		if ws := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ws.Signal() != syscall.SIGPIPE || p.log.String() != "" {
			t.Errorf("%v: %v\n%s", args, p.cmd.ProcessState, &p.log)
		}
	}
}

// beginWaiting starts the binary with a standard input that stays open, and
// empty, until the test ends.
func beginWaiting(t *testing.T, args ...string) *process {
	t.Helper()
	r, w, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() { r.Close(); w.Close() })
	cmd := exec.Command(dyngate, args...)
	cmd.Stdin = r
	return begin(t, cmd)
}
