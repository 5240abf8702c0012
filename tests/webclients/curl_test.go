package webclients

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// curls are command lines of curl, without the URL of the server, what it prints first
// (the body, then the status and the content type), and what the server notes.
var curls = []struct {
	name, path string
	args       []string
	want       string
	noted      string
}{
	{"GET", "/v1/say/Ada%20L", nil, `{"text":"Hello, Ada L!"} 200 application/json`, "http Say 1>1 OK"},
	{"POST", "/web.Shapes/Say", []string{"--json", `{"text":"Ada"}`}, `{"text":"Hello, Ada!"} 200 application/json`, "http Say 1>1 OK"},
	{"gzip", "/v1/say/" + strings.Repeat("x", 5000), []string{"--compressed"}, `{"text":"Hello, ` + strings.Repeat("x", 5000) + `!"} 200 application/json`, "http Say 1>1 OK"},
	{
		"Connect", "/web.Shapes/Say", []string{"--json", `{"text":"Ada"}`, "-H", "Connect-Protocol-Version: 1"},
		`{"text":"Hello, Ada!"} 200 application/json`, "connect Say 1>1 OK",
	},
	{
		"Connect GET", "/web.Shapes/Say?connect=v1&encoding=json&message=%7B%22text%22%3A%22Ada%22%7D", nil,
		`{"text":"Hello, Ada!"} 200 application/json`, "connect Say 1>1 OK",
	},
	{"Connect error", "/web.Shapes/Fail", []string{"--json", `{"text":"Ada"}`, "-H", "Connect-Protocol-Version: 1"}, `{"code":"not_found","message":"no Ada","details":[{"type":"google.rpc.BadRequest",`, "connect Fail 1>0 NotFound"},
	{
		"error", "/v1/fail/Ada", nil,
		`{"code":5,"message":"no Ada","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"text","description":"unknown"}]}]} 404 application/json`,
		"http Fail 1>0 NotFound",
	},
	{"NDJSON", "/v1/count/3", nil, "{\"text\":\"1\"}\n{\"text\":\"2\"}\n{\"text\":\"3\"}\n 200 application/x-ndjson", "http Count 1>3 OK"},
	{"array", "/v1/count/2", []string{"-H", "Accept: application/json"}, "[{\"text\":\"1\"},\n{\"text\":\"2\"}]\n 200 application/json", "http Count 1>2 OK"},
	{
		"events", "/v1/count/1", []string{"-H", "Accept: text/event-stream"},
		"data: {\"text\":\"1\"}\n\nevent: end\ndata: {}\n\n 200 text/event-stream", "http Count 1>1 OK",
	},
	{
		"error in NDJSON", "/v1/count/6", nil,
		"{\"text\":\"1\"}\n{\"text\":\"2\"}\n{\"text\":\"3\"}\n{\"text\":\"4\"}\n{\"text\":\"5\"}\n{\"error\":{\"code\":11,\"message\":\"only 5\"}}\n 200 application/x-ndjson",
		"http Count 1>5 OutOfRange",
	},
	{"no such format", "/v1/count/1", []string{"-H", "Accept: image/png"}, `{"code":3,"message":"none of the accepted`, ""},
	{"array of requests", "/v1/join", []string{"--json", `[{"text":"a"},{"text":"b"}]`}, `{"text":"a+b"} 200 application/json`, "http Join 2>1 OK"},
	{
		"NDJSON of requests", "/v1/join", []string{"-d", "{\"text\":\"a\"}\n{\"text\":\"b\"}", "-H", "Content-Type: application/x-ndjson"},
		`{"text":"a+b"} 200 application/json`, "http Join 2>1 OK",
	},
	{"form", "/web.Shapes/Say", []string{"--data-urlencode", "text=A & B"}, `{"text":"Hello, A & B!"} 200 application/json`, "http Say 1>1 OK"},
	{"wrong method", "/v1/say/Ada", []string{"-X", "PATCH"}, `{"code":12,`, ""},
	{"health", "/grpc.health.v1.Health/Check", []string{"--json", "{}"}, `{"status":"SERVING"} 200 application/json`, ""},
}

// TestCurl calls with curl, over HTTP/1.1 and HTTP/2.
func TestCurl(t *testing.T) {
	t.Parallel()
	curl := rig.Tool(t, "CURL", "curl")
	s := startShapes(t)
	for _, version := range []string{"--http1.1", "--http2-prior-knowledge"} {
		for _, test := range curls {
			t.Run(version+" "+test.name, func(t *testing.T) {
				args := []string{version, "-sS", "--noproxy", "*", "-w", " %{http_code} %{content_type}", "-H", "X-Client: curl", s.URL + test.path}
				out, err := exec.CommandContext(rig.Context(t), curl, append(args, test.args...)...).CombinedOutput()
				if err != nil || !strings.HasPrefix(string(out), test.want) {
					t.Errorf("got %v, %s\nwant %s", err, out, test.want)
				}
				if test.noted != "" {
					if diff := cmp.Diff([]string{test.noted + " curl"}, s.noted(t, 1)); diff != "" {
						t.Errorf("the server noted: -want +got:\n%s", diff)
					}
				}
			})
		}
	}
}

// TestCurlChats sends each request after the answer to the one before.
func TestCurlChats(t *testing.T) {
	t.Parallel()
	curl := rig.Tool(t, "CURL", "curl")
	s := startShapes(t)
	for _, version := range []string{"--http1.1", "--http2-prior-knowledge"} {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), rig.Patience)
			defer cancel()
			cmd := exec.CommandContext(ctx, curl, version, "-sSN", "--noproxy", "*", "-X", "POST", "-T", ".", // does not wait for input while there is output
				"-H", "Content-Type: application/x-ndjson", "-H", "X-Client: curl", s.URL+"/v1/chat")
			in, err := cmd.StdinPipe()
			rig.Must(t, err)
			out, err := cmd.StdoutPipe()
			rig.Must(t, err)
			rig.Must(t, cmd.Start())
			answers := bufio.NewScanner(out)
			for _, text := range []string{"a", "b", "c"} {
				_, err := io.WriteString(in, `{"text":"`+text+`"}`+"\n")
				rig.Must(t, err)
				if !answers.Scan() || answers.Text() != `{"text":"re: `+text+`"}` {
					t.Fatalf("got %q, %v", answers.Text(), answers.Err())
				}
			}
			rig.Must(t, in.Close())
			if answers.Scan() {
				t.Errorf("got %q at the end", answers.Text())
			}
			rig.Must(t, cmd.Wait())
			if diff := cmp.Diff([]string{"http Chat 3>3 OK curl"}, s.noted(t, 1)); diff != "" {
				t.Errorf("the server noted: -want +got:\n%s", diff)
			}
		})
	}
}
