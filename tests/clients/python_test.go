package clients

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// tutorialPorts are the ports that the tutorials of the example services use:
// one process serves them all at once.
var tutorialPorts = []string{"50051", "50052", "8080", "19999", "10080"}

// pythonClients are the clients in the folder python, one for each service, on the
// port that its tutorial uses.
var pythonClients = []struct {
	name, proto, port string
	args              []string
}{
	{"formatdata", "formatdata/data.proto", "8080", nil},
	{"hello", "hello/hello.proto", "50052", nil},
	{"tutorial", "tutorial/message.proto", "50051", nil},
	{"helloworld", "helloworld/helloworld.proto", "50051", nil},
	{"routeguide", "routeguide/routeguide.proto", "50051", []string{"../../handlers/examples/features.json"}},
	{"compute", "compute/compute.proto", "19999", nil},
	{"cal", "cal/SimpleCal.proto", "50051", nil},
	{"contact", "contact/contact.proto", "19999", []string{"25"}},
	{"firstmsg", "firstmsg/first_msg.proto", "10080", nil},
}

// TestPythonClients runs clients with stubs that are generated from protos/. Some of
// these files declare the same names, which Python's registry does not allow, so
// each client has its own process.
func TestPythonClients(t *testing.T) {
	t.Parallel()
	python := rig.Python(t)
	var args []string
	for _, port := range tutorialPorts {
		// Other tests' connections have random ports, for a short time. The server of
		// the README's tour keeps its ports.
		var err error
		free := rig.Poll(rig.Patience/3, func() bool {
			var lis net.Listener
			if lis, err = net.Listen("tcp", "127.0.0.1:"+port); err == nil {
				err = lis.Close()
			}
			return err == nil
		})
		if !free {
			rig.Missing(t, "the tutorials' ports must be free on 127.0.0.1: %v", err)
		}
		args = append(args, "--grpc", "127.0.0.1:"+port)
	}
	p := rig.Serve(t, append(args, "--task-interval", "50ms")...)
	if len(p.Addrs) != len(tutorialPorts) {
		t.Errorf("listens on %v", p.Addrs)
	}
	for _, client := range pythonClients {
		t.Run(client.name, func(t *testing.T) {
			t.Parallel()
			stubs := generate(t, python, client.proto)
			runPython(t, python, append([]string{client.name, "127.0.0.1:" + client.port, stubs}, client.args...)...)
		})
	}
	t.Run("every port", func(t *testing.T) {
		t.Parallel()
		for _, port := range tutorialPorts {
			out, err := rig.Invoke(rig.Context(t), rig.Dial(t, "127.0.0.1:"+port), "/Greeter/SayHello", rig.Text(1, port))
			if err != nil || rig.TextOf(out, 1) != "hello "+port {
				t.Errorf("port %s: %q, %v", port, out, err)
			}
		}
	})
}

// generate makes the stubs of one file and returns their folder.
func generate(t testing.TB, python, proto string) string {
	t.Helper()
	stubs := t.TempDir()
	path := filepath.Join("../../protos", proto)
	cmd := exec.CommandContext(rig.Context(t), python, "-m", "grpc_tools.protoc", "-I"+filepath.Dir(path),
		"--python_out="+stubs, "--grpc_python_out="+stubs, path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return stubs
}

// runPython runs one client to its end.
func runPython(t testing.TB, python string, args ...string) {
	t.Helper()
	script := filepath.Join("python", args[0]+".py")
	cmd := exec.CommandContext(rig.Context(t), python, append([]string{script}, args[1:]...)...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	t.Logf("%s", out)
}
