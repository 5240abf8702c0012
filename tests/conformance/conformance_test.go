// Package conformance runs the conformance suite of connectrpc.com: its clients call
// dyngate, which serves the suite's service from its .proto files (folder server), and
// dynclient calls its servers (folder client).
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
	server := build(t, "server")
	t.Run("HTTP port", func(t *testing.T) { runSuite(t, 7288, "http.yaml", "server", server) })
	t.Run("gRPC port", func(t *testing.T) { runSuite(t, 570, "grpc.yaml", "server", server, "-grpc") })
}

// TestClientConformance does the same for dynclient.
func TestClientConformance(t *testing.T) {
	client := build(t, "client")
	protos := []string{filepath.Join("client", "protos"), filepath.Join("server", "protos")}
	t.Run("HTTP", func(t *testing.T) { runSuite(t, 2784, "client.yaml", "client", append([]string{client}, protos...)...) })
	t.Run("gRPC", func(t *testing.T) {
		runSuite(t, 646, "grpc.yaml", "client", append([]string{client, "-grpc"}, protos...)...)
	})
}

// build builds the program that the suite starts.
func build(t *testing.T, folder string) string {
	t.Helper()
	rig.Tool(t, "DYNGATE_CONNECTCONFORMANCE", "connectconformance")
	rig.DependOn(t, "go.mod", "dynserver", "dynclient", "handlers", "internal", "tests/conformance")
	program := filepath.Join(t.TempDir(), folder)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-race="+strconv.FormatBool(rig.RaceEnabled), "-o", program, "./"+folder)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// runSuite runs the suite against a program, and expects that so many cases pass.
func runSuite(t *testing.T, cases int, config, mode string, program ...string) {
	t.Helper()
	suite := rig.Tool(t, "DYNGATE_CONNECTCONFORMANCE", "connectconformance")
	// The suite has no time limit of its own.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	args := []string{"--conf", filepath.Join("configs", config), "--mode", mode, "--"}
	cmd := exec.CommandContext(ctx, suite, append(args, program...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // the suite ends its servers
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, tail(out))
	}
	if got := casesIn(t, out); got != cases {
		t.Errorf("%d cases passed, want %d", got, cases)
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
