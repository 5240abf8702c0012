package rig

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Binary returns the path of dyngate, built from this module, with the race
// detector if the test has it.
func Binary(t testing.TB) string {
	t.Helper()
	return binary(t, RaceEnabled)
}

// UnracedBinary returns the path of dyngate without the race detector, for tests
// that measure time or memory.
func UnracedBinary(t testing.TB) string {
	t.Helper()
	return binary(t, false)
}

func binary(t testing.TB, race bool) string {
	t.Helper()
	sourceOnce.Do(func() { DependOn(t, "go.mod", "cmd", "dynclient", "dynserver", "handlers", "internal", "protos") })
	build := unraced
	if race {
		build = raced
	}
	path, err := build()
	if err != nil {
		t.Fatalf("building dyngate: %v", err)
	}
	return path
}

var (
	sourceOnce sync.Once
	raced      = sync.OnceValues(func() (string, error) { return build(true) })
	unraced    = sync.OnceValues(func() (string, error) { return build(false) })
	// scratch is a folder of this process. Main removes it.
	scratch = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "dyngate-tests-") })
)

// build builds cmd/dyngate. The test processes of the module share the result, as
// linking takes seconds: the first process builds it, and for the others go build
// finds that it is up to date. Each has a copy, which a later build does not
// replace.
func build(race bool) (path string, err error) {
	name := "dyngate"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	variant := fmt.Sprintf("race=%t", race)
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	dir, err := sharedFolder(root, variant)
	if err != nil {
		return "", err
	}
	shared := filepath.Join(dir, name)
	unlock, err := lockedfile.MutexAt(shared + ".lock").Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	cmd := exec.Command("go", "build", "-"+variant, "-o", shared, "./cmd/dyngate")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	content, err := os.ReadFile(shared)
	if err != nil {
		return "", err
	}
	own, err := scratch()
	if err != nil {
		return "", err
	}
	path = filepath.Join(own, variant, name) // scripts find it in PATH
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	// A process that another test starts meanwhile must not inherit the open file: a
	// file that is open for writing cannot be executed.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return path, os.WriteFile(path, content, 0o755)
}

// sharedFolder returns a folder that the test processes of a module share for a
// variant of the binary.
func sharedFolder(root, variant string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "dyngate-tests", fmt.Sprintf("%x", sha256.Sum256([]byte(root)))[:16], variant)
	return dir, os.MkdirAll(dir, 0o700)
}

// DependOn makes these files and folders of the module inputs of the test. `go
// test` serves a result from its cache while the files and folders that the test
// opened are the same, and it does not see those that a go command opens.
func DependOn(t testing.TB, paths ...string) {
	t.Helper()
	for _, path := range paths {
		Must(t, filepath.WalkDir(filepath.Join(Root(t), path), func(_ string, _ fs.DirEntry, err error) error { return err }))
	}
}

// Root returns the folder of this module.
func Root(t testing.TB) string {
	t.Helper()
	root, err := moduleRoot()
	Must(t, err)
	return root
}

// moduleRoot finds the folder once: Main calls it before a test can change the
// working directory.
var moduleRoot = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || parent == dir {
			return "", fmt.Errorf("finding go.mod: %w", err)
		}
		dir = parent
	}
})
