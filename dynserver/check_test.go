package dynserver_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
)

const greeter = `syntax = "proto3";
package tutorial;
message HelloRequest { string name = 1; }
message HelloReply { string message = 1; }
service Greeter {
  rpc SayHello(HelloRequest) returns (HelloReply);
}
`

func source(name, text string) dynserver.Source {
	return dynserver.FS(name, fstest.MapFS{"greeter.proto": {Data: []byte(text)}})
}

// TestCheck checks a program's handlers as its tests would, and that nothing is
// left running.
func TestCheck(t *testing.T) {
	before := goleak.IgnoreCurrent()
	reg := handlers.NewRegistry()
	reg.Handle("tutorial.Greeter/SayHello", handlers.Unary(sayHello))
	check := func(text string, against ...dynserver.Source) (*dynserver.CheckResult, error) {
		return dynserver.Check(t.Context(), dynserver.Config{
			Sources: []dynserver.Source{source("now", text)}, Handlers: reg,
			OnReload: func(dynserver.Report) { t.Error("OnReload is called") },
		}, against...)
	}

	r, err := check(greeter, source("old", greeter))
	if err != nil || len(r.Diagnostics) > 0 || len(r.Changes) > 0 || r.Files != 1 || len(r.Services) != 1 || r.Services[0].Name != "tutorial.Greeter" {
		t.Errorf("what is good: %+v, %v", r, err)
	}

	r, err = check(strings.ReplaceAll(greeter, "string", "bytes"), source("old", strings.ReplaceAll(greeter, "(HelloReply)", "(Missing)")))
	if err != nil || len(r.Diagnostics) != 2 || r.Files != 1 || len(r.Services) != 0 || len(r.Changes) > 0 {
		t.Fatalf("broken on both sides: %+v, %v", r, err)
	}
	for i, want := range []string{"old/greeter.proto:6:39: ", "now/greeter.proto:6:7: method tutorial.Greeter/SayHello does not fit"} {
		if got := r.Diagnostics[i].Error(); !strings.HasPrefix(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}

	r, err = check(greeter, source("old", strings.ReplaceAll(greeter, "string", "bytes")))
	if err != nil || len(r.Changes) != 2 || r.Changes[0].New.String() != "now/greeter.proto:3:31" {
		t.Errorf("breaking: %+v, %v", r, err)
	}

	if r, err := check(greeter, dynserver.FS("empty", fstest.MapFS{})); err == nil {
		t.Errorf("nothing to compare with: %+v", r)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if r, err := dynserver.Check(ended, dynserver.Config{Sources: []dynserver.Source{source("now", greeter)}}); err == nil {
		t.Errorf("with an ended context: %+v", r)
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}

// TestProgress follows the loading of two files to its end.
func TestProgress(t *testing.T) {
	var mu sync.Mutex
	read, compiled, total := 0, 0, 0
	_, err := dynserver.Check(t.Context(), dynserver.Config{
		Sources: []dynserver.Source{dynserver.FS("two", fstest.MapFS{
			"greeter.proto": {Data: []byte(greeter)},
			"other.proto":   {Data: []byte(`syntax = "proto3"; package other; import "greeter.proto";`)},
		})},
		OnProgress: func(done, of int) {
			mu.Lock()
			defer mu.Unlock()
			if of == 0 {
				read = max(read, done)
			} else {
				compiled, total = max(compiled, done), of
			}
		},
	})
	if err != nil || read < 2 || total < 2 || compiled != total {
		t.Errorf("read %d, compiled %d of %d, %v", read, compiled, total, err)
	}
}
