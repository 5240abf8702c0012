package webclients

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// bufCalls are calls of buf curl, what it prints without white space, and the line that
// the scripts print for such a call.
var bufCalls = []struct{ method, data, want, line string }{
	{"Say", `{"text":"Ada"}`, `{"text":"Hello,Ada!"}`, "Say"},
	{"Fail", `{"text":"Ada"}`, `{"code":"not_found","message":"noAda"`, "Fail"},
	{"Count", `{"number":3}`, `{"text":"1"}{"text":"2"}{"text":"3"}`, "Count 3"},
	{"Count", `{"number":7}`, `{"text":"1"}{"text":"2"}{"text":"3"}{"text":"4"}{"text":"5"}{"code":"out_of_range","message":"only5"`, "Count 7"},
	{"Join", `{"text":"a"} {"text":"b"} {"text":"c"}`, `{"text":"a+b+c"}`, "Join"},
	{"Chat", `{"text":"a"} {"text":"b"}`, `{"text":"re:a"}{"text":"re:b"}`, "Chat"},
}

// TestBufCurl calls with buf curl, which reads the server's reflection over the same
// protocol.
func TestBufCurl(t *testing.T) {
	t.Parallel()
	node(t) // npm installs buf too
	buf, err := filepath.Abs(nodeFolder + "/node_modules/.bin/buf")
	rig.Must(t, err)
	s := startShapes(t)
	for _, mode := range []struct {
		protocol string
		http2    bool
	}{{"connect", false}, {"connect", true}, {"grpcweb", false}, {"grpcweb", true}, {"grpc", true}} {
		name, args := mode.protocol+" over HTTP/1.1", []string{"curl", "--protocol", mode.protocol, "-H", "X-Client: buf"}
		if mode.http2 {
			name, args = mode.protocol+" over HTTP/2", append(args, "--http2-prior-knowledge")
		}
		t.Run(name, func(t *testing.T) {
			var lines []string
			for _, call := range bufCalls {
				if call.method == "Chat" && !mode.http2 {
					continue // buf curl sends both at once over HTTP/2 only
				}
				ctx, cancel := context.WithTimeout(t.Context(), rig.Patience)
				defer cancel()
				cmd := exec.CommandContext(ctx, buf, append(args, "-d", call.data, s.URL+"/web.Shapes/"+call.method)...)
				cmd.Env = append(os.Environ(), "NO_PROXY=*", "BUF_CACHE_DIR="+t.TempDir())
				out, _ := cmd.CombinedOutput() // the status is that of the call
				if got := regexp.MustCompile(`\s`).ReplaceAllString(string(out), ""); !strings.HasPrefix(got, call.want) {
					t.Errorf("%s %s: got %s, want %s", call.method, call.data, out, call.want)
				}
				lines = append(lines, call.line)
			}
			want := callsOf(mode.protocol, "buf", lines)
			if diff := cmp.Diff(want, s.noted(t, len(want))); diff != "" {
				t.Errorf("the server noted: -want +got:\n%s", diff)
			}
		})
	}
}
