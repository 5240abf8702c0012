package reload

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// limitFiles sets how many files a process may have open, and returns a function that
// restores the limit.
func limitFiles(t testing.TB, pid int, limit uint64) (undo func()) {
	t.Helper()
	set := func(to, old *syscall.Rlimit) {
		_, _, err := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_NOFILE,
			uintptr(unsafe.Pointer(to)), uintptr(unsafe.Pointer(old)), 0, 0)
		if err != 0 {
			t.Fatalf("prlimit: %v", err)
		}
	}
	var before syscall.Rlimit
	set(nil, &before)
	set(&syscall.Rlimit{Cur: limit, Max: before.Max}, nil)
	return func() { set(&before, nil) }
}

// TestReloadTooManyFiles changes a file while the server cannot open any. The server
// reads it when it can, though nothing else changes on disk.
func TestReloadTooManyFiles(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"a.proto": rig.ServiceProto("A"), "sub/s.proto": rig.ServiceProto("S")})
	p := rig.Serve(t, "--log-format", "json", dir)
	conn := rig.Dial(t, p.Addr())
	live := func(name string) bool {
		_, err := rig.Invoke(t.Context(), conn, "/p."+name+"/Do", nil)
		return strings.Contains(fmt.Sprint(err), "no handler answers it")
	}
	if !live("A") { // and the connection is open
		t.Fatal("A is not live")
	}
	for i, what := range []string{"the first", "the second"} {
		undo := limitFiles(t, p.Cmd.Process.Pid, 3)
		name := "Late" + strconv.Itoa(i)
		rig.Write(t, filepath.Join(dir, "sub", name+".proto"), rig.ServiceProto(name))
		failed := func() int { return strings.Count(p.Stderr.String(), "reload failed; trying again") }
		rig.Eventually(t, what+" failure to be logged", func() bool { return failed() == i+1 })
		if !live("A") || !live("S") || live(name) {
			t.Errorf("A, S and not %s are to be live", name)
		}
		undo()
		rig.Eventually(t, name, func() bool { return live(name) })
		succeeded := func() int { return strings.Count(p.Stderr.String(), "reload succeeded again") }
		rig.Eventually(t, "the end of "+what+" failure to be logged", func() bool { return succeeded() > i })
		if failed() != i+1 || succeeded() != i+1 {
			t.Errorf("%s failure is to be logged once, and once that it is over:\n%s", what, &p.Stderr)
		}
	}
	rig.Must(t, os.Remove(filepath.Join(dir, "a.proto")))
	rig.Eventually(t, "A to go", func() bool { return !live("A") })
}
