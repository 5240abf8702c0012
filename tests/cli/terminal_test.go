package cli

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// onTerminal runs a command line of dyngate on a terminal of 60 columns, which
// script(1) makes, and returns what it prints.
func onTerminal(t *testing.T, command string, env ...string) string {
	t.Helper()
	if _, err := exec.LookPath("script"); err != nil {
		rig.Missing(t, "there is no script(1): %v", err)
	}
	cmd := exec.CommandContext(rig.Context(t), "script", "-qec", "stty cols 60 && "+strings.ReplaceAll(command, "dyngate ", rig.Binary(t)+" "), os.DevNull)
	cmd.Env = append(append(os.Environ(), "TERM=xterm", "NO_COLOR="), env...)
	out, _ := cmd.CombinedOutput()
	return strings.ReplaceAll(string(out), "\r\n", "\n")
}

// TestColorsOnATerminal checks what is colored on a terminal, and that the rest
// of the text is the same as elsewhere.
func TestColorsOnATerminal(t *testing.T) {
	t.Parallel()
	bad := rig.Folder(t, map[string]string{"a.proto": "syntax = \"proto3\";\nmessage A { strin x = 1; }"})
	good := rig.Folder(t, map[string]string{"a.proto": rig.ServiceProto("A")})
	for name, c := range map[string]struct {
		command string
		want    []string
	}{
		"check":   {"dyngate check " + bad, []string{"\x1b[1;31merror:\x1b[0m\x1b[1m cannot find `strin`", "\x1b[36m" + bad + "/a.proto:2:13\x1b[0m", "\x1b[1;31m^^^^^\x1b[0m"}},
		"good":    {"dyngate check " + good, []string{"\x1b[1;32mgood:\x1b[0m 1 file"}},
		"serve":   {"dyngate serve " + bad, []string{"\x1b[1;31mdyngate:\x1b[0m cannot start", "\x1b[1;31m^^^^^\x1b[0m"}},
		"list":    {"dyngate list --proto " + good, []string{"\x1b[1mp.A\x1b[0m\n"}},
		"mistake": {"dyngate list --proto " + good + " p.B", []string{"\x1b[1;31mdyngate:\x1b[0m unknown service"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig.WantText(t, onTerminal(t, c.command), c.want...)
			for _, env := range []string{"NO_COLOR=1", "TERM=dumb"} {
				if out := onTerminal(t, c.command, env); strings.Contains(out, "\x1b") || out == "" {
					t.Errorf("%s: %q", env, out)
				}
			}
			if out := onTerminal(t, c.command+" --color never"); strings.Contains(out, "\x1b") || out == "" {
				t.Errorf("--color never: %q", out)
			}
			if out := onTerminal(t, c.command+" --color always", "NO_COLOR=1"); !strings.Contains(out, "\x1b") {
				t.Errorf("--color always: %q", out)
			}
		})
	}
}

// TestLongLinesWrapOnATerminal has a message that is longer than a line, and a
// help text.
func TestLongLinesWrapOnATerminal(t *testing.T) {
	t.Parallel()
	const target = "some.server.with.a.long.name.example.com:50051"
	out := onTerminal(t, "dyngate list --proto . "+target, "NO_COLOR=1")
	rig.WantText(t, strings.Join(strings.Fields(out), " "), `leave out "`+target+`", or add --reflection to ask the server too`)
	if r := rig.Run(t, "list", "--proto", ".", target); strings.Count(r.Stderr, "\n") != 1 {
		t.Errorf("wrapped without a terminal: %s", r.Stderr)
	}
	for _, line := range strings.Split(out, "\n") {
		if len(line) > 60 {
			t.Errorf("a line of %d columns: %s", len(line), line)
		}
	}
	help := onTerminal(t, "dyngate list --help")
	if flat := rig.Run(t, "list", "--help").Stdout; strings.Count(help, "\n") <= strings.Count(flat, "\n") {
		t.Errorf("the help is not wrapped: %s", help)
	}
}
