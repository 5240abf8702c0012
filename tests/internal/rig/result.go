package rig

import (
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Result is what an ended process leaves.
type Result struct {
	Status         int // -1 if a signal killed it
	Stdout, Stderr string
}

// Run runs dyngate to its end, with an empty standard input.
func Run(t testing.TB, args ...string) Result {
	t.Helper()
	p := Start(t, args...)
	Must(t, p.Stdin.Close())
	return p.Result()
}

// Type writes a line to standard input.
func (p *Process) Type(line string) {
	p.t.Helper()
	_, err := io.WriteString(p.Stdin, line+"\n")
	Must(p.t, err)
}

// Result waits for the end of the process. It must neither hang nor panic, nor
// print anything that controls a terminal.
func (p *Process) Result() Result {
	p.t.Helper()
	_ = p.Wait()
	r := Result{Status: p.Cmd.ProcessState.ExitCode(), Stdout: p.Stdout.String(), Stderr: p.Stderr.String()}
	for _, sign := range []string{"panic:", "goroutine ", "DATA RACE"} {
		if strings.Contains(r.Stderr, sign) {
			p.t.Errorf("it prints %q:\n%s", sign, tail(r.Stderr))
		}
	}
	for _, text := range []string{r.Stdout, r.Stderr} {
		if i := strings.IndexFunc(text, controlsTerminal); i >= 0 || !utf8.ValidString(text) {
			p.t.Errorf("this controls a terminal, at %d: %.2000q", i, text)
		}
	}
	return r
}

// controlsTerminal reports whether a terminal does something else with r than to
// show it: r is a control, or changes the direction of text.
func controlsTerminal(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}

// Want checks the status and standard output. Standard error must contain all of
// stderr, and be empty if that is.
func (r Result) Want(t testing.TB, status int, stdout string, stderr ...string) {
	t.Helper()
	if r.Status != status || r.Stdout != stdout || len(stderr) == 0 && r.Stderr != "" {
		t.Errorf("status %d, want %d; stdout:\n%s\nwant:\n%s\nstderr:\n%s",
			r.Status, status, tail(r.Stdout), stdout, tail(r.Stderr))
	}
	WantText(t, r.Stderr, stderr...)
}
