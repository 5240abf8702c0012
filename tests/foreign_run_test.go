package tests

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// caller is a dyngate that calls: `dyngate call` and the like, with standard
// input open.
type caller struct {
	*process
	in io.WriteCloser
}

// startDyngate starts dyngate. What is still running at the test's end is killed.
func startDyngate(t testing.TB, args ...string) *caller {
	t.Helper()
	cmd := exec.Command(dyngate, args...)
	// The race detector has programs wait for a second before they exit with 0.
	cmd.Env = append(os.Environ(), "NO_PROXY=*", "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	in, err := cmd.StdinPipe()
	must(t, err)
	c := &caller{process: begin(t, cmd), in: in}
	t.Cleanup(c.kill)
	return c
}

// kill ends a process without asking it.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// types writes a line to standard input.
func (c *caller) types(line string) {
	c.t.Helper()
	_, err := io.WriteString(c.in, line+"\n")
	must(c.t, err)
}

// awaitOut waits until that has been printed.
func (p *process) awaitOut(want string) {
	p.t.Helper()
	eventually(p.t, "the output "+want, func() bool { return strings.Contains(p.out.String(), want) })
}

// result is what a dyngate that has ended leaves.
type result struct {
	status    int // -1 if a signal killed it
	out, errs string
}

// end waits for the process, which must neither hang nor panic, nor print what
// a terminal obeys.
func (c *caller) end() result {
	c.t.Helper()
	c.awaitExit()
	r := result{status: c.cmd.ProcessState.ExitCode(), out: c.out.String(), errs: c.log.String()}
	for _, sign := range []string{"panic:", "goroutine ", "DATA RACE"} {
		if strings.Contains(r.errs, sign) {
			c.t.Errorf("it says %q:\n%s", sign, tail(r.errs, 8000))
		}
	}
	for _, text := range []string{r.out, r.errs} {
		if i := strings.IndexFunc(text, obeyed); i >= 0 || !utf8.ValidString(text) {
			c.t.Errorf("a terminal would obey this, at %d: %.2000q", i, text)
		}
	}
	return r
}

// obeyed reports what does something to a terminal other than to show a
// character: controls, and marks that change the direction of text.
func obeyed(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}

// runDyngate runs dyngate to its end, with nothing in standard input.
func runDyngate(t testing.TB, args ...string) result {
	t.Helper()
	c := startDyngate(t, args...)
	must(t, c.in.Close())
	return c.end()
}

// want checks exit status and standard output, and that standard error has all
// of these pieces, or is empty.
func (r result) want(t testing.TB, status int, out string, errs ...string) {
	t.Helper()
	if r.status != status || r.out != out || len(errs) == 0 && r.errs != "" {
		t.Errorf("status %d, want %d; stdout:\n%s\nwant:\n%s\nstderr:\n%s",
			r.status, status, tail(r.out, 4000), out, tail(r.errs, 4000))
	}
	contains(t, r.errs, errs...)
}

// foreignServer finds a server that others wrote, as `make servers` leaves it.
func foreignServer(t testing.TB, name string) string {
	t.Helper()
	dir := "../bin/servers"
	if env := os.Getenv("DYNGATE_SERVERS"); env != "" {
		dir = env
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	must(t, err)
	if !isFile(path) {
		missing(t, "%s is not there: `make servers` installs it; DYNGATE_SERVERS can name the folder", path)
	}
	return path
}

// startForeign starts a server until the test's end. What it prints matches
// says with its first group on which port.
func startForeign(t testing.TB, cmd *exec.Cmd, says string) (*process, string) {
	t.Helper()
	p := begin(t, cmd)
	t.Cleanup(p.kill)
	port := regexp.MustCompile(says)
	var found []string
	eventually(t, "the server's port", func() bool {
		if p.hasExited() {
			t.Fatalf("%v has exited: %v\n%s", cmd.Args, p.err, &p.log)
		}
		found = port.FindStringSubmatch(p.out.String() + p.log.String())
		return found != nil
	})
	return p, "127.0.0.1:" + found[1]
}
