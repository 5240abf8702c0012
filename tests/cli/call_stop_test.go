package cli

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestSignalsStopCalls stops calls that do not end: one waits for its request, the
// other for answers.
func TestSignalsStopCalls(t *testing.T) {
	t.Parallel()
	addr := generatedServer(t)
	for name, args := range map[string][]string{
		"request": {"call", addr, "Check", "-d", "-", "-v"},
		"answers": {"call", addr, "Watch", "-v"},
	} {
		for sig, exit := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
			p := rig.Start(t, args...)
			if name == "answers" {
				rig.Eventually(t, "an answer", func() bool { return strings.Contains(p.Stdout.String(), "SERVING") })
			} else {
				p.AwaitStderr("Health/Check(")
			}
			p.Signal(sig)
			p.Wait()
			if got := p.Cmd.ProcessState.ExitCode(); got != exit {
				t.Errorf("%s, %v: status %d, want %d\n%s", name, sig, got, exit, &p.Stderr)
			}
		}
	}
}

func TestDeadlineWhileTheRequestIsAwaited(t *testing.T) {
	t.Parallel()
	p := rig.Start(t, "call", generatedServer(t), "Check", "-d", "-", "--deadline", "100ms")
	p.Wait()
	rig.WantText(t, p.Stderr.String(), "--data", "deadline exceeded")
	if got := p.Cmd.ProcessState.ExitCode(); got != 64+4 {
		t.Errorf("status %d", got)
	}
}

// TestClosedOutput checks that `dyngate list | head` prints no error.
func TestClosedOutput(t *testing.T) {
	t.Parallel()
	addr := generatedServer(t)
	for _, args := range [][]string{{"list", addr}, {"describe", addr}, {"call", addr, "Check"}} {
		r, w, err := os.Pipe()
		rig.Must(t, err)
		rig.Must(t, r.Close())
		cmd := rig.Command(t, args...)
		cmd.Stdout = w
		p := rig.StartCommand(t, cmd)
		p.Wait()
		rig.Must(t, w.Close())
		if ws := p.Cmd.ProcessState.Sys().(syscall.WaitStatus); ws.Signal() != syscall.SIGPIPE || p.Stderr.String() != "" {
			t.Errorf("%v: %v\n%s", args, p.Cmd.ProcessState, &p.Stderr)
		}
	}
}
