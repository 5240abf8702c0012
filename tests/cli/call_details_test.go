package cli

import (
	"strings"
	"testing"

	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestDetailsAreResolvedByReflection has error details of a type that only the
// server knows.
func TestDetailsAreResolvedByReflection(t *testing.T) {
	t.Parallel()
	st, err := status.New(codes.NotFound, "gone").WithDetails(&refv1.ErrorResponse{ErrorCode: 7}, &refv1.ErrorResponse{ErrorCode: 8})
	rig.Must(t, err)
	addr := generatedServer(t, append(locked("Bearer s3cret"), refusing(st.Err()))...)
	r := rig.Run(t, "call", addr, "grpc.health.v1.Health/Check", "-H", "Authorization: Bearer s3cret")
	rig.WantText(t, r.Stderr, "  grpc.reflection.v1.ErrorResponse\n    {\n", `"errorCode": 7`, `"errorCode": 8`)
	if r.Status != 64+5 {
		t.Errorf("status %d\n%s", r.Status, r.Stderr)
	}
}

// TestDetailsThatCannotBeResolved has error details of an unknown type, and details
// whose bytes are invalid.
func TestDetailsThatCannotBeResolved(t *testing.T) {
	t.Parallel()
	addr := generatedServer(t, refusing(status.FromProto(&statuspb.Status{Code: 5, Details: []*anypb.Any{
		{TypeUrl: "type.googleapis.com/no.Such\n\x1b[2J", Value: []byte{1}},
		{TypeUrl: "type.googleapis.com/google.rpc.ErrorInfo", Value: []byte{0xff}},
	}}).Err()))
	r := rig.Run(t, "call", addr, "Check")
	rig.WantText(t, r.Stderr, "  type.googleapis.com/no.Such\n  \uFFFD[2J, a type", `"@value": "AQ=="`, "google.rpc.ErrorInfo", `"@value": "/w=="`)
	if r.Status != 64+5 || strings.Contains(r.Stderr, "\x1b") {
		t.Errorf("status %d\n%q", r.Status, r.Stderr)
	}
}

// TestHints checks that a hint depends on the code too: the messages of these
// servers contain what grpc-go says about a failed connection.
func TestHints(t *testing.T) {
	t.Parallel()
	const text = "x509: certificate is valid for a; certificate signed by unknown authority; error reading server preface; larger than max"
	for code, want := range map[codes.Code][]string{
		codes.Unavailable:       {"--tls"},
		codes.ResourceExhausted: {"--max-recv-bytes"},
		codes.NotFound:          nil,
	} {
		r := rig.Run(t, "call", generatedServer(t, refusing(status.Error(code, text))), "Check")
		rig.WantText(t, r.Stderr, want...)
		if n := strings.Count(r.Stderr, "\n"); n != 2+len(want) {
			t.Errorf("%v: %d lines\n%s", code, n, r.Stderr)
		}
	}
}

// TestHintsOnSizes checks that a message that is too large has a hint about the
// side that refuses it.
func TestHintsOnSizes(t *testing.T) {
	t.Parallel()
	const (
		ours    = "\n--max-recv-bytes N accepts larger responses\n"
		theirs  = "the server accepts no requests of this size"
		sending = "the server sends no responses of this size"
	)
	long := `{"name": "` + strings.Repeat("A", 99) + `"}`
	small := rig.Serve(t, "--max-recv-bytes", "50").Addr()
	for name, test := range map[string]struct {
		want string
		args []string
	}{
		"response":                {ours, []string{rig.Serve(t).Addr(), "Greeter/SayHello", "-d", long, "--max-recv-bytes", "50"}},
		"compressed response":     {ours, []string{rig.Serve(t).Addr(), "Greeter/SayHello", "-d", long, "--max-recv-bytes", "50", "--gzip"}},
		"request":                 {theirs, []string{small, "Greeter/SayHello", "-d", long}},
		"request, limits alike":   {theirs, []string{small, "Greeter/SayHello", "-d", long, "--max-recv-bytes", "50"}},
		"second request, answers": {theirs, []string{small, "RouteChat", "-d", `{"message": "a"} {"message": "a"} ` + strings.ReplaceAll(long, "name", "message")}},
		"second request, alike":   {"if a response is too large", []string{small, "RouteChat", "--max-recv-bytes", "50", "-d", `{"message": "a"} {"message": "a"} ` + strings.ReplaceAll(long, "name", "message")}},
		"response of the server":  {sending, []string{rig.Serve(t, "--max-send-bytes", "9000").Addr(), "Greeter/SayHello", "-d", strings.ReplaceAll(long, "A", strings.Repeat("A", 99))}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := rig.Run(t, append([]string{"call"}, test.args...)...)
			rig.WantText(t, r.Stderr, "RESOURCE_EXHAUSTED", test.want)
			if n := strings.Count(r.Stderr, "\n"); r.Status != 64+8 || n != 3 {
				t.Errorf("status %d, %d lines\n%s", r.Status, n, r.Stderr)
			}
		})
	}
}
