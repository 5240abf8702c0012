package webclients

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// nodeFolder has the scripts, and what `make web-clients` installs for them.
const nodeFolder = "testdata/node"

// node finds Node.js with the packages of npm. Without them the test is Missing.
func node(t *testing.T) string {
	t.Helper()
	path := rig.Tool(t, "NODE", "node")
	if _, err := os.Stat(nodeFolder + "/node_modules/.package-lock.json"); err != nil {
		rig.Missing(t, "the packages of npm are not installed: run `make web-clients`: %v", err)
	}
	return path
}

// script runs a script and returns the lines that it prints.
func script(t *testing.T, descriptors, name string, args ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), rig.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, node(t), append([]string{name}, args...)...)
	cmd.Dir = nodeFolder
	cmd.Env = append(os.Environ(), "DESCRIPTORS="+descriptors, "NO_PROXY=*", "no_grpc_proxy=*")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s %q: %v", name, args, err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// The lines that a client of each shape prints.
var (
	unaryLines  = []string{"Say: Hello, Ada! [yes, done]", "Fail: error 5, no Ada, 1 details"}
	countLines  = []string{"Count 3: 1 2 3", "Count 7: 1 2 3 4 5 error 11, only 5, 0 details"}
	joinLines   = []string{"Join: a+b+c"}
	chatLines   = []string{"Chat: re: a, re: b, end"}
	downLines   = slices.Concat(unaryLines, countLines)
	upLines     = slices.Concat(downLines, joinLines)
	duplexLines = slices.Concat(upLines, chatLines)
)

// callsOf returns what the server notes of a client that printed such lines.
func callsOf(protocol, client string, lines []string) (calls []string) {
	for _, line := range lines {
		name, _, _ := strings.Cut(line, ":")
		call := map[string]string{
			"Say": "Say 1>1 OK", "Fail": "Fail 1>0 NotFound", "Count 3": "Count 1>3 OK", "Count 7": "Count 1>5 OutOfRange",
			"Join": "Join 3>1 OK", "Chat": "Chat 2>2 OK",
		}[name]
		calls = append(calls, protocol+" "+call+" "+client)
	}
	slices.Sort(calls)
	return calls
}

// TestConnectES calls with connectrpc's clients for Node.js, and with those for
// browsers, which Node.js can run too.
func TestConnectES(t *testing.T) {
	t.Parallel()
	s := startShapes(t)
	descriptors := s.descriptors(t)
	for _, test := range []struct {
		client string // library, protocol, version of HTTP, format
		want   []string
	}{
		{"node connect 1.1 binary", upLines},
		{"node connect 1.1 json", upLines},
		{"node connect 1.1 get", upLines},
		{"node connect 2 binary", duplexLines},
		{"node connect 2 json", duplexLines},
		{"node connect 2 get", duplexLines},
		{"node grpcweb 1.1 binary", upLines},
		{"node grpcweb 2 binary", duplexLines},
		{"node grpcweb 2 json", duplexLines},
		{"node grpc 2 binary", duplexLines},
		{"node grpc 2 json", duplexLines},
		{"web connect 1.1 binary", downLines},
		{"web connect 1.1 json", downLines},
		{"web connect 1.1 get", downLines},
		{"web grpcweb 1.1 binary", downLines},
		{"web grpcweb 1.1 json", downLines},
	} {
		t.Run(test.client, func(t *testing.T) {
			args := strings.Fields(test.client)
			got := script(t, descriptors, "connect.mjs", append([]string{s.URL}, args...)...)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Fatalf("-want +got:\n%s", diff)
			}
			want := callsOf(args[1], strings.Join(args, "-"), test.want)
			if diff := cmp.Diff(want, s.noted(t, len(want))); diff != "" {
				t.Errorf("the server noted: -want +got:\n%s", diff)
			}
		})
	}
}

// TestGRPCJS calls with gRPC's client for Node.js, on both ports.
func TestGRPCJS(t *testing.T) {
	t.Parallel()
	s := startShapes(t)
	descriptors := s.descriptors(t)
	web, err := url.Parse(s.URL)
	rig.Must(t, err)
	for name, addr := range map[string]string{"gRPC": s.Addr, "HTTP": web.Host} {
		t.Run(name, func(t *testing.T) {
			got := script(t, descriptors, "grpcjs.mjs", addr)
			if diff := cmp.Diff(duplexLines, got); diff != "" {
				t.Fatalf("-want +got:\n%s", diff)
			}
			want := callsOf("grpc", "grpc-js", duplexLines)
			if diff := cmp.Diff(want, s.noted(t, len(want))); diff != "" {
				t.Errorf("the server noted: -want +got:\n%s", diff)
			}
		})
	}
}

// TestGRPCWeb calls with Google's client of gRPC-Web, in both of its formats.
func TestGRPCWeb(t *testing.T) {
	t.Parallel()
	s := startShapes(t)
	descriptors := s.descriptors(t)
	for format, lines := range map[string][]string{"text": downLines, "binary": unaryLines} {
		t.Run(format, func(t *testing.T) {
			got := script(t, descriptors, "grpcweb.mjs", s.URL, format)
			if diff := cmp.Diff(lines, got); diff != "" {
				t.Fatalf("-want +got:\n%s", diff)
			}
			want := callsOf("grpcweb", "grpc-web-"+format, lines)
			if diff := cmp.Diff(want, s.noted(t, len(want))); diff != "" {
				t.Errorf("the server noted: -want +got:\n%s", diff)
			}
		})
	}
}
