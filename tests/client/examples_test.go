package client

import (
	"os/exec"
	"testing"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// startReflectionExample starts grpc-go's example of reflection.
func startReflectionExample(t testing.TB) string {
	t.Helper()
	_, addr := startServer(t, exec.Command(installedServer(t, "reflection/server"), "--port=0"), `server listening at .*:(\d+)\n`)
	return addr
}

const exampleListing = `grpc.examples.echo.Echo
grpc.reflection.v1.ServerReflection
grpc.reflection.v1alpha.ServerReflection
helloworld.Greeter
`

const echoListing = `grpc.examples.echo.Echo/UnaryEcho(grpc.examples.echo.EchoRequest) returns (grpc.examples.echo.EchoResponse)
grpc.examples.echo.Echo/ServerStreamingEcho(grpc.examples.echo.EchoRequest) returns (stream grpc.examples.echo.EchoResponse)
grpc.examples.echo.Echo/ClientStreamingEcho(stream grpc.examples.echo.EchoRequest) returns (grpc.examples.echo.EchoResponse)
grpc.examples.echo.Echo/BidirectionalStreamingEcho(stream grpc.examples.echo.EchoRequest) returns (stream grpc.examples.echo.EchoResponse)
`

// TestReflection finds the services of a server by grpc-go's reflection.
func TestReflection(t *testing.T) {
	t.Parallel()
	addr := startReflectionExample(t)
	for name, test := range map[string]struct {
		args   []string
		status int
		out    string
		errs   []string
	}{
		"list":     {[]string{"list", addr}, 0, exampleListing, nil},
		"methods":  {[]string{"list", addr, "Greeter"}, 0, "helloworld.Greeter/SayHello\n", nil},
		"long":     {[]string{"list", addr, "echo.Echo", "-l"}, 0, echoListing, nil},
		"call":     {[]string{"call", addr, "helloworld.Greeter/SayHello", "-d", `{"name": "Ada"}`}, 0, "{\n  \"message\": \"Hello Ada\"\n}\n", nil},
		"short":    {[]string{"call", addr, "UnaryEcho", "-d", `{"message": "it"}`, "-o", "text"}, 0, "message: \"it\"\n", nil},
		"stream":   {[]string{"call", addr, "BidirectionalStreamingEcho"}, 76, "", []string{"UNIMPLEMENTED (12): ", "grpc.examples.echo.Echo/BidirectionalStreamingEcho"}},
		"field":    {[]string{"call", addr, "SayHello", "-d", `{"nme": 1}`}, 2, "", []string{`"nme"`, `"name"`}},
		"method":   {[]string{"call", addr, "SayHelo"}, 2, "", []string{`(did you mean "helloworld.Greeter/SayHello"?)`}},
		"service":  {[]string{"list", addr, "Greter"}, 2, "", []string{`(did you mean "helloworld.Greeter"?)`}},
		"complete": {[]string{"__complete", "call", addr, "Gree"}, 0, "Greeter/SayHello\n:4\n", []string{"ShellCompDirectiveNoFileComp"}},
		"complete fully": {
			[]string{"__complete", "call", addr, "helloworld."}, 0, "helloworld.Greeter/SayHello\n:4\n", []string{"ShellCompDirectiveNoFileComp"},
		},
		"complete service": {
			[]string{"__complete", "list", addr, "g"},
			0,
			"grpc.examples.echo.Echo\ngrpc.reflection.v1.ServerReflection\ngrpc.reflection.v1alpha.ServerReflection\n:4\n",
			[]string{"ShellCompDirectiveNoFileComp"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig.Run(t, test.args...).Want(t, test.status, test.out, test.errs...)
		})
	}
}
