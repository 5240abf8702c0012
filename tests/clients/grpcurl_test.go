package clients

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// grpcurl runs grpcurl against an address in plain text.
type grpcurl struct {
	t    testing.TB
	path string
	addr string
}

func newGrpcurl(t testing.TB, addr string) grpcurl {
	t.Helper()
	return grpcurl{t: t, path: rig.Tool(t, "GRPCURL", "grpcurl"), addr: addr}
}

// run returns standard output and error together with the exit status.
func (g grpcurl) run(flags []string, args ...string) (stdout, stderr string, err error) {
	g.t.Helper()
	cmd := exec.CommandContext(rig.Context(g.t), g.path, append(append([]string{"-plaintext"}, flags...), append([]string{g.addr}, args...)...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// exitStatus is the exit status that err of a command stands for.
func exitStatus(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// ok runs what must succeed.
func (g grpcurl) ok(flags []string, args ...string) string {
	g.t.Helper()
	out, errs, err := g.run(flags, args...)
	if err != nil {
		g.t.Fatalf("grpcurl %v %v: %v\n%s%s", flags, args, err, out, errs)
	}
	return out
}

const greeterAgain = `Greeter is a service:
// Greeter greets.
service Greeter {
  // SayHello greets whoever is named.
  rpc SayHello ( .HelloRequest ) returns ( .HelloReply );
  // SayHelloAgain greets once more.
  rpc SayHelloAgain ( .HelloRequest ) returns ( .HelloReply );
}
`

const listing = `Cal
Contact
Greeter
GrpcService
RouteGuide
compute.Compute
example.FormatData
firstmsg.FirstMsg
grpc.health.v1.Health
grpc.reflection.v1.ServerReflection
grpc.reflection.v1alpha.ServerReflection
tutorial.Greeter
`

func TestGrpcurlDiscovers(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t)
	if strings.Contains(p.Stderr.String(), "is also declared in") {
		t.Errorf("what ships is complained about:\n%s", p.Stderr.String())
	}
	g := newGrpcurl(t, p.Addr())
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"list":           {[]string{"list"}, listing},
		"list methods":   {[]string{"list", "Cal"}, "Cal.Add\nCal.Multiply\n"},
		"service":        {[]string{"describe", "Greeter"}, greeterAgain},
		"other service":  {[]string{"describe", "compute.Compute"}, "compute.Compute is a service:\n// Compute counts.\nservice Compute {\n  // SayHello returns the number of characters that it is sent.\n  rpc SayHello ( .compute.HelloRequest ) returns ( .compute.HelloReply );\n}\n"},
		"method":         {[]string{"describe", "Cal.Add"}, "Cal.Add is a method:\nrpc Add ( .AddRequest ) returns ( .ResultReply );\n"},
		"message":        {[]string{"describe", "Skill"}, "Skill is a message:\n// Skill is something that somebody can do.\nmessage Skill {\n  string name = 1;\n}\n"},
		"field comments": {[]string{"describe", "RouteSummary"}, "RouteSummary is a message:\nmessage RouteSummary {\n  // How many points were received.\n  int32 point_count = 1;\n  // How many of them are known features.\n  int32 feature_count = 2;\n  // The distance covered, in metres.\n  int32 distance = 3;\n  // How long the route took, in seconds.\n  int32 elapsed_time = 4;\n}\n"},
		"required":       {[]string{"describe", "tutorial.HelloReply"}, "tutorial.HelloReply is a message:\nmessage HelloReply {\n  required string message = 1;\n}\n"},
		"health":         {[]string{"list", "grpc.health.v1.Health"}, "grpc.health.v1.Health.Check\ngrpc.health.v1.Health.List\ngrpc.health.v1.Health.Watch\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := grpcurl{t: t, path: g.path, addr: g.addr}
			if got := g.ok(nil, test.args...); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}
