package dispatch

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dyngate/dyngate/handlers"
)

const (
	common  = `syntax = "proto3"; package p; message Common { string text = 1; }`
	whole   = "syntax = \"proto3\";\npackage p.q;\nimport \"common.proto\";\nmessage Own {}\nservice A { rpc Call(Common) returns (Common); }\n"
	another = `syntax = "proto3"; package other; message M {} service Another { rpc Call(M) returns (M); }`
)

// TestStaleServiceStaysWhileItsFileIsRenamed reads a renamed file when only its
// beginning has been written, while an import is broken.
func TestStaleServiceStaysWhileItsFileIsRenamed(t *testing.T) {
	for end := 1; end < len(whole); end += 3 {
		b := newBench(t, handlers.NewRegistry())
		b.reload(map[string]string{"common.proto": common, "a.proto": whole})
		b.reload(map[string]string{"common.proto": common + "}"})
		b.while(map[string]string{"a.proto": "", "b.proto": whole[:end]}, time.Minute)
		if got := state(b.current); got != "p.q.A*" {
			t.Fatalf("services %q after %q", got, whole[:end])
		}
		if got := state(b.reload(map[string]string{"b.proto": whole})); got != "p.q.A*" {
			t.Fatalf("services %q when the file was whole", got)
		}
		if got := state(b.reload(map[string]string{"common.proto": common})); got != "p.q.A" {
			t.Fatalf("services %q when the import was good again", got)
		}
	}
}

// TestServiceGoesWithItsFile deletes files beside others that are broken, but
// cannot be where the service went.
func TestServiceGoesWithItsFile(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	b.reload(map[string]string{"a.proto": service("A", ""), "b.proto": service("B", ""), "c.proto": service("C", "")})
	b.reload(map[string]string{"b.proto": "broken"})
	if got := state(b.while(map[string]string{"a.proto": ""}, time.Minute)); got != "p.B* p.C" {
		t.Errorf("services %q", got)
	}
	if got := state(b.while(map[string]string{"c.proto": "", "d.proto": another + "}"}, time.Minute)); got != "p.B*" {
		t.Errorf("services %q", got)
	}
}

// TestServiceStaysWhileAFileMayBeHalfWritten takes a service out of a file.
func TestServiceStaysWhileAFileMayBeHalfWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, handlers.NewRegistry())
		two := service("A", "") + strings.TrimPrefix(service("B", ""), `syntax = "proto3"; package p;`)
		first := b.reload(map[string]string{"a.proto": two, "c.proto": service("C", "")})
		time.Sleep(time.Hour)
		changed := time.Now()
		expect := func(want string, leaving time.Time) {
			t.Helper()
			if got := state(b.current); got != want || !b.current.Leaving.Equal(leaving) {
				t.Errorf("services %q leaving at %v, want %q at %v", got, b.current.Leaving, want, leaving)
			}
		}
		b.while(map[string]string{"a.proto": service("A", "")}, time.Second)
		expect("p.A p.B* p.C", changed)
		if kept := b.current.Service("p.B"); !kept.Leaving || kept.Routes[0] != first.Service("p.B").Routes[0] || len(kept.Stale) != 1 {
			t.Errorf("kept %+v", kept)
		}
		kept := b.current.Service("p.B")
		time.Sleep(time.Second / 2)
		b.while(map[string]string{"c.proto": service("D", "")}, time.Second)
		expect("p.A p.B* p.C* p.D", changed)
		if b.current.Service("p.B") != kept {
			t.Error("the service was made anew")
		}
		time.Sleep(time.Second / 2)
		b.while(nil, time.Second)
		expect("p.A p.C* p.D", changed.Add(time.Second/2))
		b.while(map[string]string{"c.proto": service("C", "")}, time.Second)
		expect("p.A p.C p.D*", time.Now())
		b.reload(nil) // as the files say
		expect("p.A p.C", time.Time{})
	})
}

// TestServiceMoves saves the two files of a move one after the other.
func TestServiceMoves(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	b.reload(map[string]string{"a.proto": service("A", ""), "b.proto": service("B", "")})
	both := service("B", "") + strings.TrimPrefix(service("A", ""), `syntax = "proto3"; package p;`)
	for i, step := range []struct {
		files map[string]string
		want  string
	}{
		{map[string]string{"a.proto": `syntax = "proto3"; package p;`}, "p.A* p.B"},
		{map[string]string{"b.proto": both}, "p.A p.B"},
		{map[string]string{"b.proto": service("B", ""), "new.proto": `syntax = "proto3"; package p; mess`}, "p.A* p.B"},
		{map[string]string{"new.proto": service("A", "")}, "p.A p.B"},
	} {
		if got := state(b.while(step.files, time.Minute)); got != step.want || len(b.current.Services) != 2 {
			t.Errorf("step %d: services %q, want %q", i, got, step.want)
		}
	}
}
