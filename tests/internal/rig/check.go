package rig

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// Must fails the test at once if err is not nil.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// WantText fails the test unless text contains all of want.
func WantText(t testing.TB, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("want %q in:\n%s", w, text)
		}
	}
}

// WantCode fails the test unless err has this code.
func WantCode(t testing.TB, err error, want codes.Code) {
	t.Helper()
	if got := status.Code(err); got != want {
		t.Errorf("got %v (%v), want %v", got, err, want)
	}
}

// tail returns the end of a long text.
func tail(s string) string {
	const most = 8000
	if len(s) <= most {
		return s
	}
	return "...\n" + s[len(s)-most:]
}

// WantJSON fails the test unless two JSON objects are equal.
func WantJSON(t testing.TB, got, want string) {
	t.Helper()
	a, b := new(structpb.Struct), new(structpb.Struct)
	Must(t, protojson.Unmarshal([]byte(got), a))
	Must(t, protojson.Unmarshal([]byte(want), b))
	if !proto.Equal(a, b) {
		t.Errorf("got %s, want %s", got, want)
	}
}
