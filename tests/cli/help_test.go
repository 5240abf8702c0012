package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestHelpExamples runs the examples in the help of the commands that end, in the
// root of the project, against the example server.
func TestHelpExamples(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		rig.Missing(t, "sh: %v", err)
	}
	_, port, _ := strings.Cut(rig.Serve(t).Addr(), ":")
	for _, command := range []string{"call", "check", "describe", "list"} {
		for _, line := range examples(t, command) {
			if strings.Contains(line, "example.com") || strings.Contains(line, "git ") {
				continue // another server, another version of the files
			}
			t.Run(line, func(t *testing.T) {
				t.Parallel()
				line = strings.ReplaceAll(line, "50051", port)
				line = strings.ReplaceAll(line, "all.binpb", filepath.Join(t.TempDir(), "all.binpb"))
				cmd := exec.Command(shell, "-c", line)
				cmd.Dir = rig.Root(t)
				path := filepath.Dir(rig.Binary(t)) + string(os.PathListSeparator) + os.Getenv("PATH")
				cmd.Env = append(os.Environ(), "PATH="+path, "NO_PROXY=*")
				p := rig.StartCommand(t, cmd)
				t.Cleanup(p.Kill)
				if r := p.Result(); r.Status != 0 || r.Stderr != "" {
					t.Errorf("exit status %d\n%s", r.Status, r.Stderr)
				}
			})
		}
	}
}

var exampleLines = regexp.MustCompile(`(?s)\nExamples:\n(.*?)\n\n`)

// examples returns the lines below Examples in the help of a command.
func examples(t *testing.T, command string) []string {
	t.Helper()
	found := exampleLines.FindStringSubmatch(rig.Run(t, "help", command).Stdout)
	if found == nil {
		t.Fatalf("the help of %s has no examples", command)
	}
	lines := strings.Split(found[1], "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}
