package client

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"google.golang.org/grpc/testdata"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// interopProtos is the schema of the interop server, which has no reflection.
const interopProtos = "../internal/interop/protos"

// startInteropServer starts the server that grpc-go tests its own client with.
func startInteropServer(t testing.TB, args ...string) (*rig.Process, string) {
	t.Helper()
	cmd := exec.Command(installedServer(t, "interop/server"), append([]string{"--port=0"}, args...)...)
	cmd.Env = append(os.Environ(), "GRPC_GO_LOG_SEVERITY_LEVEL=info")
	return startServer(t, cmd, `interop server listening on .*:(\d+)\n`)
}

// callInterop runs `dyngate call` against the interop server.
func callInterop(t testing.TB, addr, method string, args ...string) rig.Result {
	t.Helper()
	return rig.Run(t, append([]string{"call", addr, method, "--proto", interopProtos, "-o", "ndjson"}, args...)...)
}

// TestInterop makes calls of every shape to grpc-go's interop server.
func TestInterop(t *testing.T) {
	t.Parallel()
	_, addr := startInteropServer(t)
	at := " at " + addr
	for name, test := range map[string]struct {
		method string
		args   []string
		status int
		out    string
		errs   []string
	}{
		"empty": {"EmptyCall", nil, 0, "{}\n", nil},
		"unary": {
			"grpc.testing.TestService/UnaryCall",
			[]string{"-d", `{"responseSize": 4, "payload": {"body": "AAAA"}}`},
			0, `{"payload":{"body":"AAAAAA=="}}` + "\n", nil,
		},
		"status": {
			"UnaryCall",
			[]string{"-d", `{"response_status": {"code": 9, "message": "\t\ntest ☺ 😈\t\n"}}`},
			73, "",
			[]string{"FAILED_PRECONDITION (9): \t\n  test ☺ 😈\t\n", "grpc.testing.TestService/UnaryCall" + at},
		},
		"status without a name": {
			"UnaryCall", []string{"-d", `{"response_status": {"code": 1234, "message": "odd"}}`}, 1, "", []string{"(1234): odd"},
		},
		"server streaming": {
			"StreamingOutputCall",
			[]string{"-d", `{"responseParameters": [{"size": 1}, {"size": 2, "intervalUs": 1000}, {}, {"size": 3}]}`},
			0, `{"payload":{"body":"AA=="}}` + "\n" + `{"payload":{"body":"AAA="}}` + "\n" + `{"payload":{}}` + "\n" + `{"payload":{"body":"AAAA"}}` + "\n", nil,
		},
		"client streaming": {
			"StreamingInputCall",
			[]string{"-d", `{"payload": {"body": "AAAA"}} {} {"payload": {"body": "AA=="}}`},
			0, `{"aggregatedPayloadSize":4}` + "\n", nil,
		},
		"no request at all": {"StreamingInputCall", []string{"-d", "-"}, 0, "{}\n", nil},
		"half duplex": {
			"HalfDuplexCall",
			[]string{"-d", `{"responseParameters": [{"size": 1}]} {"responseParameters": [{"size": 2}]}`},
			0, `{"payload":{"body":"AA=="}}` + "\n" + `{"payload":{"body":"AAA="}}` + "\n", nil,
		},
		"status in a stream": {
			"FullDuplexCall",
			[]string{"-d", `{"responseParameters": [{"size": 1}]} {"responseStatus": {"code": 5, "message": "gone"}}`},
			69, `{"payload":{"body":"AA=="}}` + "\n",
			[]string{"NOT_FOUND (5): gone"},
		},
		"unimplemented method": {
			"TestService/UnimplementedCall", nil, 76, "", []string{"UNIMPLEMENTED (12): ", "grpc.testing.TestService/UnimplementedCall" + at},
		},
		"unimplemented service": {
			"UnimplementedService/UnimplementedCall", nil, 76, "", []string{"UNIMPLEMENTED (12): ", "UnimplementedService"},
		},
		"ambiguous": {
			"UnimplementedCall", nil, 2, "", []string{"grpc.testing.TestService/UnimplementedCall\n", "grpc.testing.UnimplementedService/UnimplementedCall\n"},
		},
		"compression that it does not have": {
			"EmptyCall", []string{"--gzip"}, 76, "", []string{"UNIMPLEMENTED (12): ", `"gzip"`},
		},
		"slow": {
			"StreamingOutputCall",
			[]string{"--deadline", "3s", "-d", `{"responseParameters": [{"size": 1}, {"size": 2, "intervalUs": 60000000}]}`},
			68, `{"payload":{"body":"AA=="}}` + "\n",
			[]string{"DEADLINE_EXCEEDED (4): "},
		},
		"large": {
			"UnaryCall", []string{"--max-recv-bytes", "1000", "-d", `{"responseSize": 10000}`}, 72, "", []string{"RESOURCE_EXHAUSTED (8): ", "1000"},
		},
		"large in a stream": {
			"StreamingOutputCall",
			[]string{"--max-recv-bytes", "1000", "-d", `{"responseParameters": [{"size": 1}, {"size": 10000}]}`},
			72, `{"payload":{"body":"AA=="}}` + "\n",
			[]string{"RESOURCE_EXHAUSTED (8): "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			callInterop(t, addr, test.method, test.args...).Want(t, test.status, test.out, test.errs...)
		})
	}
	t.Run("list", func(t *testing.T) {
		t.Parallel()
		rig.Run(t, "list", addr).Want(t, 76, "", addr+" has no reflection service: the schema must come from files")
		rig.Run(t, "call", addr, "EmptyCall").Want(t, 76, "", addr+" has no reflection service: the schema must come from files")
		rig.Run(t, "list", addr, "--proto", interopProtos, "--reflection").Want(t, 0, "grpc.testing.TestService\ngrpc.testing.UnimplementedService\n")
	})
	t.Run("metadata", func(t *testing.T) {
		t.Parallel()
		for _, method := range []string{"UnaryCall", "FullDuplexCall"} {
			r := callInterop(t, addr, method, "-v", "-H", "x-grpc-test-echo-initial: test_initial_metadata_value",
				"-H", "X-Grpc-Test-Echo-Trailing-Bin: q6ur", "-d", `{}`)
			rig.WantText(t, r.Stderr, "< x-grpc-test-echo-initial: test_initial_metadata_value\n", "< trailer x-grpc-test-echo-trailing-bin: q6ur\n")
			if r.Status != 0 {
				t.Errorf("%s: status %d:\n%s", method, r.Status, r.Stderr)
			}
		}
	})
}

// TestPingPong types each request after the answer to the previous one:
// neither requests nor answers may wait in a buffer.
func TestPingPong(t *testing.T) {
	t.Parallel()
	_, addr := startInteropServer(t)
	c := rig.Start(t, "call", addr, "FullDuplexCall", "--proto", interopProtos, "-o", "ndjson", "-d", "-")
	want := ""
	for size, body := range []string{"", "AA==", "AAA=", "AAAA", "AAAAAA=="} {
		if size == 0 {
			continue
		}
		c.Type(fmt.Sprintf(`{"responseParameters": [{"size": %d}]}`, size))
		want += `{"payload":{"body":"` + body + `"}}` + "\n"
		c.AwaitStdout(want)
	}
	rig.Must(t, c.Stdin.Close())
	c.Result().Want(t, 0, want)
}

// TestStdinOpen calls a server that ends the call while standard input is
// open.
func TestStdinOpen(t *testing.T) {
	t.Parallel()
	_, addr := startInteropServer(t)
	start := func(args ...string) *rig.Process {
		return rig.Start(t, append([]string{"call", addr, "FullDuplexCall", "--proto", interopProtos, "-d", "-"}, args...)...)
	}
	c := start()
	c.Type(`{"responseStatus": {"code": 3, "message": "enough"}}`)
	c.Result().Want(t, 67, "", "INVALID_ARGUMENT (3): enough")
	start("--deadline", "1s").Result().Want(t, 68, "", "DEADLINE_EXCEEDED (4): ") // the client or the server
	c = start()
	c.Type(`{"responseParameter": []}`)
	c.Result().Want(t, 2, "", `"responseParameter"`, `"responseParameters"`)
}

// TestTLS uses the certificates of grpc-go's tests, which are for
// foo.test.google.fr and similar names.
func TestTLS(t *testing.T) {
	t.Parallel()
	_, addr := startInteropServer(t, "--use_tls",
		"--tls_cert_file="+testdata.Path("server1.pem"), "--tls_key_file="+testdata.Path("server1.key"))
	_, plain := startInteropServer(t)
	ca := testdata.Path("ca.pem")
	for name, test := range map[string]struct {
		addr   string
		args   []string
		status int
		out    string
		errs   []string
	}{
		"good":            {addr, []string{"--ca", ca, "--server-name", "foo.test.google.fr"}, 0, "{}\n", nil},
		"unverified":      {addr, []string{"--insecure-skip-verify"}, 0, "{}\n", nil},
		"wrong name":      {addr, []string{"--ca", ca, "--server-name", "example.com"}, 78, "", []string{"UNAVAILABLE (14): ", "certificate is valid for", "example.com"}},
		"no name":         {addr, []string{"--ca", ca}, 78, "", []string{"UNAVAILABLE (14): ", "not 127.0.0.1"}},
		"wrong authority": {addr, []string{"--ca", testdata.Path("x509/client_ca_cert.pem"), "--server-name", "foo.test.google.fr"}, 78, "", []string{"UNAVAILABLE (14): ", "unknown authority"}},
		"system's":        {addr, []string{"--tls"}, 78, "", []string{"UNAVAILABLE (14): "}},
		"plain to TLS":    {addr, nil, 78, "", []string{"UNAVAILABLE (14): "}},
		"TLS to plain":    {plain, []string{"--tls"}, 78, "", []string{"UNAVAILABLE (14): ", "TLS"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			callInterop(t, test.addr, "EmptyCall", test.args...).Want(t, test.status, test.out, test.errs...)
		})
	}
}

// TestKilled kills a server in the middle of a stream: the answers so far are
// printed, and the status is UNAVAILABLE.
func TestKilled(t *testing.T) {
	t.Parallel()
	const held = `{"responseParameters": [{"size": 1}, {"size": 2}, {"size": 3, "intervalUs": 60000000}]}`
	const came = `{"payload":{"body":"AA=="}}` + "\n" + `{"payload":{"body":"AAA="}}` + "\n"
	for name, method := range map[string]string{"server streaming": "StreamingOutputCall", "bidi": "FullDuplexCall"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, addr := startInteropServer(t)
			c := rig.Start(t, "call", addr, method, "--proto", interopProtos, "-o", "ndjson", "-d", held)
			c.AwaitStdout(came)
			server.Kill()
			c.Result().Want(t, 78, came, "UNAVAILABLE (14): ", method+" at "+addr)
		})
	}
	t.Run("dyngate", func(t *testing.T) {
		t.Parallel()
		server := rig.Serve(t)
		c := rig.Start(t, "call", server.Addr(), "Contact/sendStatus", "-o", "ndjson", "-d", "-")
		c.Type(`{"msg": "one"}`)
		rig.Eventually(t, "an answer", func() bool { return strings.Contains(c.Stdout.String(), "one") })
		server.Kill()
		r := c.Result()
		r.Want(t, 78, r.Stdout, "UNAVAILABLE (14): ")
	})
}
