package client

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// installedServer returns the path of a server that others wrote, as
// `make servers` installs it.
func installedServer(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("DYNGATE_SERVERS")
	if dir == "" {
		dir = filepath.Join(rig.Root(t), "bin", "servers")
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	rig.Must(t, err)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		rig.Missing(t, "%s does not exist: `make servers` installs it; DYNGATE_SERVERS can name the folder", path)
	}
	return path
}

// startServer starts a server that others wrote, until the test ends. The first
// group of the expression port is the port, in what the server prints.
func startServer(t testing.TB, cmd *exec.Cmd, port string) (p *rig.Process, addr string) {
	t.Helper()
	p = rig.StartCommand(t, cmd)
	t.Cleanup(p.Kill)
	re := regexp.MustCompile(port)
	var found []string
	rig.Eventually(t, "the server's port", func() bool {
		if p.Exited() {
			t.Fatalf("%v has exited: %v\n%s", cmd.Args, p.Wait(), &p.Stderr)
		}
		found = re.FindStringSubmatch(p.Stdout.String() + p.Stderr.String())
		return found != nil
	})
	return p, "127.0.0.1:" + found[1]
}
