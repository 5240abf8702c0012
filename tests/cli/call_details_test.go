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
	r := rig.Run(t, "call", generatedServer(t), "Check", "--max-recv-bytes", "1")
	rig.WantText(t, r.Stderr, "RESOURCE_EXHAUSTED", "--max-recv-bytes N")
	if r.Status != 64+8 {
		t.Errorf("status %d", r.Status)
	}
}
