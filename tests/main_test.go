package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// dyngate is the binary under test, scratch a folder for the whole run.
var dyngate, scratch string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run builds the binary, runs the tests, and makes sure that no server of this
// process has left a goroutine behind.
func run(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "dyngate-tests-"); err != nil {
		return fail(err)
	}
	defer os.RemoveAll(scratch)
	dyngate = filepath.Join(scratch, "dyngate")
	if err := build(dyngate, raceEnabled); err != nil {
		return fail(err)
	}
	if code := m.Run(); code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		return fail(err)
	}
	return 0
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "tests:", err)
	return 1
}

// build builds cmd/dyngate.
func build(to string, race bool) error {
	args := []string{"build", "-o", to}
	if race {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "github.com/dyngate/dyngate/cmd/dyngate")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building dyngate: %w\n%s", err, out)
	}
	return nil
}

// sourceIsInput makes what dyngate is built from an input of the tests that run
// it: `go test` serves a result from its cache while the files and folders that
// the tests opened are the same, and it does not see those that `go build`
// opens. What TestMain opens it does not see either.
var sourceIsInput = sync.OnceFunc(func() {
	for _, path := range []string{"go.mod", "cmd", "dynclient", "dynserver", "handlers", "internal", "protos"} {
		err := filepath.WalkDir(filepath.Join("..", path), func(_ string, _ os.DirEntry, err error) error { return err })
		if err != nil {
			panic(err)
		}
	}
})
