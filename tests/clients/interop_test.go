package clients

import (
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/testdata"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/internal/interop"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

const interopClient = "google.golang.org/grpc/interop/client"

// interopCases are the cases of grpc-go's client that need no credentials, except
// those of ORCA load reports.
var interopCases = []string{
	"empty_unary",
	"large_unary",
	"client_streaming",
	"server_streaming",
	"ping_pong",
	"empty_stream",
	"timeout_on_sleeping_server",
	"cancel_after_begin",
	"cancel_after_first_response",
	"status_code_and_message",
	"special_status_message",
	"custom_metadata",
	"unimplemented_method",
	"unimplemented_service",
	"pick_first_unary",
	"rpc_soak",
	"channel_soak",
}

func startInterop(t testing.TB, options dynserver.GRPCOptions) *rig.Server {
	t.Helper()
	root, err := fs.Sub(interop.Protos, "protos")
	rig.Must(t, err)
	reg := handlers.NewRegistry()
	interop.Register(reg)
	return rig.Local(t, dynserver.Config{
		Sources:  []dynserver.Source{dynserver.FS("interop protos", root)},
		Handlers: reg,
		GRPC:     options,
	})
}

// TestInterop runs the client that grpc-go tests its own server with.
func TestInterop(t *testing.T) {
	t.Parallel()
	client := findInteropClient(t)
	s := startInterop(t, dynserver.GRPCOptions{})
	for _, name := range interopCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runInterop(t, client, s.Addr, name, "--soak_per_iteration_max_acceptable_latency_ms=20000")
		})
	}
	t.Run("TLS", func(t *testing.T) {
		t.Parallel()
		creds, err := credentials.NewServerTLSFromFile(testdata.Path("server1.pem"), testdata.Path("server1.key"))
		rig.Must(t, err)
		s := startInterop(t, dynserver.GRPCOptions{Credentials: creds})
		runInterop(t, client, s.Addr, "large_unary", "--use_tls", "--use_test_ca", "--server_host_override=foo.test.google.fr")
	})
}

// runInterop runs one case of the client.
func runInterop(t testing.TB, client, addr, name string, args ...string) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	rig.Must(t, err)
	args = append(args, "--server_host="+host, "--server_port="+port, "--test_case="+name)
	attempts := 1
	if name == "cancel_after_begin" {
		// The client half-closes after it has cancelled, and one time in a
		// hundred it sees the answer to that first, from grpc-go's server too.
		attempts = 5
	}
	for {
		cmd := exec.CommandContext(rig.Context(t), client, args...)
		out, err := cmd.CombinedOutput()
		if err == nil {
			return
		}
		if attempts--; attempts == 0 {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
		}
	}
}

// findInteropClient finds the client, or builds it: it must be of the version
// of grpc that go.mod names.
func findInteropClient(t testing.TB) string {
	t.Helper()
	client := os.Getenv("DYNGATE_INTEROP_CLIENT")
	if client == "" {
		client = installInteropClient(t)
	}
	info, err := exec.Command("go", "version", "-m", client).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, info)
	}
	rig.WantText(t, string(info), "path\t"+interopClient, "google.golang.org/grpc\t"+grpcVersion(t))
	return client
}

func installInteropClient(t testing.TB) string {
	t.Helper()
	bin := t.TempDir()
	// Outside of this module: its go.mod lacks some dependencies of the client.
	cmd := exec.CommandContext(t.Context(), "go", "install", interopClient+"@"+grpcVersion(t))
	cmd.Dir = bin
	cmd.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=-mod=mod")
	if out, err := cmd.CombinedOutput(); err != nil {
		rig.Missing(t, "cannot build the interop client: %v\n%s", err, out)
	}
	return filepath.Join(bin, "client")
}

func grpcVersion(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "google.golang.org/grpc").Output()
	rig.Must(t, err)
	return strings.TrimSpace(string(out))
}

// TestInteropGenerated calls, with generated stubs, the methods that the client does
// not call: half duplex, and the one whose handler takes generated messages.
func TestInteropGenerated(t *testing.T) {
	t.Parallel()
	client := testpb.NewTestServiceClient(startInterop(t, dynserver.GRPCOptions{}).Conn)
	res, err := client.CacheableUnaryCall(rig.Context(t), &testpb.SimpleRequest{ResponseSize: 314159})
	rig.Must(t, err)
	if got := len(res.GetPayload().GetBody()); got != 314159 {
		t.Errorf("got %d bytes", got)
	}
	_, err = client.CacheableUnaryCall(rig.Context(t), &testpb.SimpleRequest{ResponseSize: -1})
	rig.WantCode(t, err, codes.InvalidArgument)

	stream, err := client.HalfDuplexCall(rig.Context(t))
	rig.Must(t, err)
	sizes := []int32{31415, 9, 2653, 58979}
	for _, size := range sizes {
		rig.Must(t, stream.Send(&testpb.StreamingOutputCallRequest{
			ResponseParameters: []*testpb.ResponseParameters{{Size: size}},
		}))
	}
	rig.Must(t, stream.CloseSend())
	for _, size := range sizes {
		res, err := stream.Recv()
		rig.Must(t, err)
		if got := len(res.GetPayload().GetBody()); got != int(size) {
			t.Errorf("got %d bytes, want %d", got, size)
		}
	}
}
