package rig

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Missing skips the test because a client or server that others wrote is not
// installed. It fails the test if DYNGATE_REQUIRE_CLIENTS is 1.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("DYNGATE_REQUIRE_CLIENTS") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// Tool finds a program by the environment variable env, in PATH, or in the folder
// of `go install`. Without it the test is Missing.
func Tool(t testing.TB, env, name string) string {
	t.Helper()
	if path := os.Getenv(env); path != "" {
		return path
	}
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range goBin(t) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	Missing(t, "%s is neither in PATH nor in the Go bin folder; %s can name it", name, env)
	return ""
}

// goBin returns the folders that `go install` may put programs into.
func goBin(t testing.TB) []string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOBIN", "GOPATH").Output()
	Must(t, err)
	lines := strings.Split(string(out), "\n")
	dirs := []string{lines[0]}
	for _, path := range filepath.SplitList(lines[1]) {
		dirs = append(dirs, filepath.Join(path, "bin"))
	}
	return dirs
}

// Python finds a Python that has gRPC. Without it the test is Missing.
func Python(t testing.TB) string {
	t.Helper()
	python := "/usr/bin/python3"
	if path := os.Getenv("DYNGATE_PYTHON"); path != "" {
		python = path
	}
	if out, err := exec.Command(python, "-c", "import grpc, grpc_tools").CombinedOutput(); err != nil {
		Missing(t, "%s has no gRPC (Debian: python3-grpcio, python3-grpc-tools): %v\n%s", python, err, out)
	}
	return python
}
