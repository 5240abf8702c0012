package web

import (
	"path/filepath"
	"testing"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestCall calls the shipped services with dyngate's own client, over each protocol,
// TCP and Unix sockets.
func TestCall(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	p := rig.Serve(t, "--http", "127.0.0.1:0", "--http", "unix:"+socket)
	for _, protocol := range []string{"connect", "grpcweb", "grpc"} {
		run := func(command string, args ...string) rig.Result {
			return rig.Run(t, append([]string{command, p.URL(), "--protocol", protocol}, args...)...)
		}
		rig.WantText(t, run("list").Stdout, "tutorial.Greeter\n", "RouteGuide\n")
		run("call", "tutorial.Greeter/SayHello", "-d", ada, "-o", "ndjson", "--gzip").Want(t, 0, `{"message":"Hello, Ada!"}`+"\n")
		run("call", "RecordRoute", "-d", `{"latitude": 1} {"latitude": 2}`, "-o", "ndjson").Want(t, 0, `{"pointCount":2}`+"\n")
		run("call", "RouteChat", "-d", `{"message": "a"} {"message": "b"}`, "-o", "ndjson").Want(t, 0, `{"message":"a"}`+"\n")
		run("call", "grpc.health.v1.Health/Watch", "--deadline", "1s", "-o", "ndjson").Want(t, 68, `{"status":"SERVING"}`+"\n", "DEADLINE_EXCEEDED (4): ")
		run("call", "Health/Check", "-d", `{"service": "no.Such"}`).Want(t, 69, "", "NOT_FOUND (5): ")
	}
	rig.Run(t, "list", p.Addr(), "--protocol", "connect").Want(t, 66, "", "415", "--protocol names another one")
	rig.Run(t, "call", "unix:"+socket, "tutorial.Greeter/SayHello", "--protocol", "connect", "-d", ada, "-o", "ndjson").Want(t, 0, `{"message":"Hello, Ada!"}`+"\n")
}
