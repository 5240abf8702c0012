// Package conformance runs the conformance suite of connectrpc.com: its clients call
// dyngate, which serves the suite's service from its .proto files (folder server).
package conformance

import (
	"context"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// TestConformance runs all cases that the server claims to support. None may fail, and
// none is expected to.
func TestConformance(t *testing.T) {
	suite := rig.Tool(t, "DYNGATE_CONNECTCONFORMANCE", "connectconformance")
	rig.DependOn(t, "go.mod", "dynserver", "handlers", "internal", "tests/conformance")
	server := filepath.Join(t.TempDir(), "server")
	build := exec.CommandContext(t.Context(), "go", "build", "-race="+strconv.FormatBool(rig.RaceEnabled), "-o", server, "./server")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, tt := range []struct {
		name, config string
		flags        []string
		cases        int
	}{
		{"HTTP port", "http.yaml", nil, 7288},
		{"gRPC port", "grpc.yaml", []string{"-grpc"}, 570},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// The suite has no time limit of its own.
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			args := []string{"--conf", filepath.Join("configs", tt.config), "--mode", "server", "--", server}
			cmd := exec.CommandContext(ctx, suite, append(args, tt.flags...)...)
			cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // the suite ends its servers
			cmd.WaitDelay = 10 * time.Second
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, tail(out))
			}
			if got := casesIn(t, out); got != tt.cases {
				t.Errorf("%d cases passed, want %d", got, tt.cases)
			}
		})
	}
}

var total = regexp.MustCompile(`(?m)^(\d+) passed, 0 failed$`)

// casesIn returns how many cases passed.
func casesIn(t *testing.T, out []byte) int {
	t.Helper()
	match := total.FindSubmatch(out)
	if match == nil {
		t.Fatalf("the suite did not say how many cases passed:\n%s", tail(out))
	}
	n, err := strconv.Atoi(string(match[1]))
	rig.Must(t, err)
	return n
}

// tail returns the last lines of the suite's output, which has a line for each case.
func tail(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return strings.Join(lines[max(0, len(lines)-100):], "\n")
}
