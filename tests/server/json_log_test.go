package server

import (
	"bufio"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestLogInJSON runs a server through all that it reports: nothing but JSON may
// come, on either stream.
func TestLogInJSON(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"a.proto": rig.ServiceProto("A"), "b.proto": "syntax = \"proto3\"; import \"unused.proto\"; package q;", "unused.proto": "syntax = \"proto3\";"})
	cmd := rig.Command(t, "serve", "--log-format", "json", "--grpc", "127.0.0.1:0", "--access-log", "1", dir)
	cmd.Env = append(cmd.Env, "GRPC_GO_LOG_SEVERITY_LEVEL=info")
	p := rig.StartCommand(t, cmd)
	p.AwaitAddrs(rig.Patience)
	conn := rig.Dial(t, p.Addr())
	_, err := rig.Invoke(rig.Context(t), conn, "/p.A/Do", nil)
	rig.WantCode(t, err, codes.Unimplemented)
	rig.Replace(t, filepath.Join(dir, "a.proto"), "broken")
	p.AwaitStderr(`"stale":["p.A"]`)
	rig.Replace(t, filepath.Join(dir, "a.proto"), rig.ServiceProto("A"))
	p.AwaitStderr(`"recovered":["p.A"]`)
	rig.Must(t, conn.Close())
	p.Stop()
	messages := jsonLines(t, p.Stderr.String())
	if p.Stdout.String() != "" {
		t.Errorf("on standard output: %s", &p.Stdout)
	}
	for _, want := range []string{"serving", "loaded", "call", "methods without a handler", "draining; send the signal again to stop at once"} {
		if messages[want] == nil {
			t.Errorf("no message %q in %v", want, slices.Sorted(maps.Keys(messages)))
		}
	}
	if got := messages["serving"]["services"]; got != 1.0 {
		t.Errorf("serving %v services", got)
	}
	for _, message := range []string{"loaded", "call"} {
		if took, ok := messages[message]["took_ms"].(float64); !ok || took < 0 || took > 60_000 {
			t.Errorf("%s took_ms: %v", message, messages[message]["took_ms"])
		}
	}
	if !strings.Contains(p.Stderr.String(), `"from":"grpc"`) {
		t.Error("no message of grpc")
	}
}

// TestFailureInJSON has a server fail to start in several ways.
func TestFailureInJSON(t *testing.T) {
	t.Parallel()
	taken := rig.LocalGRPC(t, func(*grpc.Server) {})
	bad := rig.Folder(t, map[string]string{"a.proto": "syntax = \"proto3\";\nmessage A { strin x = 1; }"})
	for name, c := range map[string]struct {
		status int
		args   []string
		want   []string
	}{
		"schema":          {1, []string{bad}, []string{`"msg":"cannot find`, `a.proto","line":2,"column":13`, `"msg":"cannot start","errors":1`}},
		"missing folder":  {1, []string{filepath.Join(bad, "none")}, []string{`"msg":"failed","error":"cannot start: `}},
		"address":         {1, []string{"--grpc", taken}, []string{"address already in use"}},
		"unknown flag":    {2, []string{"--no-wach"}, []string{`unknown flag: --no-wach (did you mean \"--no-watch\"?)`}},
		"wrong value":     {2, []string{"--access-log", "7"}, []string{"--access-log"}},
		"malformed value": {2, []string{"--drain", "soon"}, []string{"--drain"}},
	} {
		for _, format := range [][]string{{"--log-format", "json"}, {"--log-format=json"}} {
			t.Run(name+" "+format[0], func(t *testing.T) {
				t.Parallel()
				r := rig.Run(t, slices.Concat([]string{"serve"}, c.args, format)...)
				if r.Status != c.status || r.Stdout != "" {
					t.Errorf("status %d, output %q", r.Status, r.Stdout)
				}
				jsonLines(t, r.Stderr)
				rig.WantText(t, r.Stderr, c.want...)
			})
		}
	}
}

// jsonLines checks that each line is a JSON object with a message, and returns
// the last one of each message.
func jsonLines(t testing.TB, text string) map[string]map[string]any {
	t.Helper()
	messages := make(map[string]map[string]any)
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		var record map[string]any
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			t.Errorf("%v: %s", err, lines.Text())
			continue
		}
		message, _ := record["msg"].(string)
		if message == "" {
			t.Errorf("no message: %s", lines.Text())
		}
		messages[message] = record
	}
	if len(messages) == 0 {
		t.Error("nothing was logged")
	}
	return messages
}
