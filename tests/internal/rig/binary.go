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
	"testing"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Binary returns the path of dyngate, built from this module, with the race
// detector if the test has it.
func Binary(t testing.TB) string {
	t.Helper()
	return builtBinary(t, RaceEnabled)
}

// UnracedBinary returns the path of dyngate without the race detector, for tests
// that measure time or memory.
func UnracedBinary(t testing.TB) string {
	t.Helper()
	return builtBinary(t, false)
}

// binaries are the built binaries of this process, by whether they have the race
// detector. They are in a folder of this process, so that a build for another
// process cannot replace them.
var binaries struct {
	sync.Mutex
	dir  string
	path map[bool]string
}

func builtBinary(t testing.TB, race bool) string {
	t.Helper()
	watchSource(Root(t))
	binaries.Lock()
	defer binaries.Unlock()
	if path := binaries.path[race]; path != "" {
		return path
	}
	if binaries.dir == "" {
		dir, err := os.MkdirTemp("", "dyngate-tests-")
		Must(t, err)
		binaries.dir, binaries.path = dir, make(map[bool]string)
	}
	path := filepath.Join(binaries.dir, binaryName("dyngate", race))
	if err := build(Root(t), path, race); err != nil {
		t.Fatalf("building dyngate: %v", err)
	}
	binaries.path[race] = path
	return path
}

func removeBinaries() {
	binaries.Lock()
	defer binaries.Unlock()
	if binaries.dir != "" {
		_ = os.RemoveAll(binaries.dir)
	}
}

func binaryName(base string, race bool) string {
	if race {
		base += "-race"
	}
	if runtime.GOOS == "windows" {
		base += ".exe"
	}
	return base
}

// build builds cmd/dyngate of the module at root. The test processes of the
// module share the result, as linking takes seconds: the first one builds it, and
// for the others go build finds that it is up to date. Each gets a copy.
func build(root, to string, race bool) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	dir := filepath.Join(cache, "dyngate-tests", fmt.Sprintf("%x", sha256.Sum256([]byte(root)))[:16])
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	shared := filepath.Join(dir, binaryName("dyngate", race))
	unlock, err := lockedfile.MutexAt(shared + ".lock").Lock()
	if err != nil {
		return err
	}
	defer unlock()
	args := []string{"build", "-o", shared}
	if race {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "./cmd/dyngate")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	content, err := os.ReadFile(shared)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o755)
}

var sourceOnce sync.Once

// watchSource makes the source of dyngate an input of the running test. `go test`
// serves a result from its cache while the files and folders that the test opened
// are the same, and it does not see those that `go build` opens.
func watchSource(root string) {
	sourceOnce.Do(func() {
		for _, path := range []string{"go.mod", "cmd", "dynclient", "dynserver", "handlers", "internal", "protos"} {
			err := filepath.WalkDir(filepath.Join(root, path), func(_ string, _ fs.DirEntry, err error) error { return err })
			if err != nil {
				panic(err)
			}
		}
	})
}

// Root returns the folder of this module.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	Must(t, err)
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || parent == dir {
			t.Fatalf("no go.mod: %v", err)
		}
		dir = parent
	}
}
