package web

import (
	"context"
	"io"
	"iter"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// thing is what the handlers see of a rules.Thing.
type thing struct {
	Name   string
	Number int32
}

// serveRules serves testdata/rules and returns the URL.
func serveRules(t *testing.T) string {
	t.Helper()
	reg := handlers.NewRegistry()
	echo := handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) {
		return handlers.HandlerFunc(func(_ context.Context, call handlers.Call) error {
			for {
				in, err := call.Recv()
				if err == io.EOF {
					return nil
				} else if err != nil {
					return err
				}
				if err := call.Send(in); err != nil {
					return err
				}
			}
		}), nil
	})
	for _, method := range []string{"Get", "Segments", "Put", "Patch", "Delete", "Part", "Custom", "Body", "Echo", "Plain"} {
		reg.Handle("rules.Rules/"+method, echo)
	}
	fail := func(code codes.Code) error {
		if code == codes.OK {
			return status.Error(code, "no error")
		}
		st, err := status.New(code, "failed").WithDetails(&errdetails.ErrorInfo{Reason: "ASKED"})
		rig.Must(t, err)
		return st.Err()
	}
	reg.Handle("rules.Rules/Fail", handlers.Unary(func(_ context.Context, in *thing) (*thing, error) {
		return nil, fail(codes.Code(in.Number))
	}))
	reg.Handle("rules.Rules/Count", handlers.ServerStream(func(_ context.Context, in *thing) iter.Seq2[*thing, error] {
		return func(yield func(*thing, error) bool) {
			for i := range in.Number {
				if !yield(&thing{Number: i + 1}, nil) {
					return
				}
			}
			if in.Name != "" {
				yield(nil, fail(codes.NotFound))
			}
		}
	}))
	return rig.Local(t, dynserver.Config{Sources: []dynserver.Source{dynserver.Path(filepath.Join("testdata", "rules"))}, Handlers: reg}).URL
}

// request is a request, and what the answer must be. The body of an answer is exact
// if it begins with =, and otherwise contains the text.
type request struct {
	line   string // VERB URL [BODY]
	status int
	body   string
}

func runRequests(t *testing.T, requests []request, headers ...string) {
	t.Helper()
	url := serveRules(t)
	c := client(t, 1, nil)
	for _, r := range requests {
		verb, rest, _ := strings.Cut(r.line, " ")
		path, body, _ := strings.Cut(rest, " ")
		got := ask(t, c, verb, url+path, body, headers...)
		exact, isExact := strings.CutPrefix(r.body, "=")
		if got.StatusCode != r.status || isExact && strings.TrimSuffix(got.body, "\n") != exact || !strings.Contains(got.body, strings.TrimPrefix(r.body, "=")) {
			t.Errorf("%s: %d %s\nwant %d %s", r.line, got.StatusCode, got.body, r.status, r.body)
		}
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	runRequests(t, []request{
		{"GET /v1/get/a%2Fb", 200, `={"name":"a/b"}`},
		{"GET /v1/get/a%252Fb", 200, `={"name":"a%2Fb"}`},
		{"GET /v1/get/a+b%20c", 200, `={"name":"a+b c"}`},
		{"GET /v1/get/%E4%BD%A0", 200, `={"name":"你"}`},
		{"GET /v1/get/%ff", 400, `"field":"name"`},
		{"GET /v1/get/a/", 404, `\"/v1/get/{name}\"`},
		{"GET /v1/get", 404, `\"/v1/get/{name}\"`},
		{"GET /v1/get/", 404, `\"/v1/get/{name}\"`},
		{"GET /v1/gte/a", 404, `\"/v1/get/{name}\"`},
		{"GET /V1/get/a", 404, `\"/v1/get/{name}\"`},
		{"GET /v1/multi/a/x/b", 200, `={"name":"a/x/b"}`},
		{"GET /v1/multi/a/x/b/c%2Fd/e%20f", 200, `={"name":"a/x/b/c%2Fd/e f"}`},
		{"GET /v1/multi/b/x/b", 404, ""},
		{"GET /v1/all", 200, `={}`},
		{"GET /v1/all/a%2Fb/c", 200, `={"name":"a%2Fb/c"}`},
		{"GET /v1/verb/a/b:go", 200, `={"name":"a/b"}`},
		{"GET /v1/x/a:b", 200, `={"name":"a:b"}`},
		{"GET /v1/x/a:stop", 200, `={"name":"a"}`},
		{"GET /v1/x/a%3Astop", 200, `={"name":"a:stop"}`},
		{"GET /v1/inner/x/5", 200, `={"inner":{"name":"x","n":5}}`},
		{"GET /v1/inner/x/y", 400, `"field":"inner.n"`},
		{"GET /v1/typed/GREEN/true/2024-01-01T00:00:00Z", 200, `={"ok":true,"color":"GREEN","time":"2024-01-01T00:00:00Z"}`},
		{"GET /v1/typed/1/false/2024-01-01T00:00:00%2B01:00", 200, `={"color":"GREEN","time":"2023-12-31T23:00:00Z"}`},
		{"GET /v1/typed/PINK/true/x", 400, `"field":"color"`},
		{"POST /v1/get/a", 405, ""},
		{"DELETE /v1/get/a", 200, `={"name":"a"}`},
		{"HEAD /v1/get/a", 200, "="},
		{"HEAD /v1/head/a", 200, "="},
		{"GET /v1/head/a", 405, ""},
		{"PROPFIND /v1/any/a", 200, `={"name":"a"}`},
		{"GET /v1/part/inner?inner.n=1", 200, `={"n":1}`},
		{"GET /v1/part/list?list=a&list=b", 200, `=["a","b"]`},
		{"GET /v1/part/list", 200, `=[]`},
		{"GET /v1/part/name?name=a", 200, `="a"`},
	})
}

func TestAllow(t *testing.T) {
	t.Parallel()
	url := serveRules(t)
	for _, verb := range []string{http.MethodPost, http.MethodOptions} {
		got := ask(t, client(t, 1, nil), verb, url+"/v1/get/a", "")
		if allow := got.Header.Get("Allow"); allow != "DELETE, GET, HEAD, OPTIONS" {
			t.Errorf("%s: %s, Allow: %s", verb, got.Status, allow)
		}
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	const get = "GET /v1/query?"
	runRequests(t, []request{
		{get + "name=a&number=5&big=9007199254740993&ok=true&real=NaN&data=AP8", 200, `={"name":"a","number":5,"big":"9007199254740993","ok":true,"real":"NaN","data":"AP8="}`},
		{get + "data=_-8%3D", 200, `"/+8="`},
		{get + "color=1", 200, `={"color":"GREEN"}`},
		{get + "color=GREEN", 200, `={"color":"GREEN"}`},
		{get + "list=a&list=b", 200, `={"list":["a","b"]}`},
		{get + "inner.inner.n=3&inner.tags=a&inner.tags=b", 200, `={"inner":{"inner":{"n":3},"tags":["a","b"]}}`},
		{get + "labels[a]=1&labels[b.c]=2", 200, `={"labels":{"a":"1","b.c":"2"}}`},
		{get + "time=2024-01-01T00:00:00.5Z&took=1.5s", 200, `={"time":"2024-01-01T00:00:00.500Z","took":"1.500s"}`},
		{get + "updateMask=name,inner.n", 200, `={"updateMask":"name,inner.n"}`},
		{get + "update_mask=name,inner.n", 200, `={"updateMask":"name,inner.n"}`},
		{get + "text=", 200, `={"text":""}`},
		{get + "object[a]=1&value=true", 200, `={"object":{"a":1},"value":true}`},
		{get + "renamed=x", 200, `={"renamed":"x"}`},
		{get + "snake_case=x", 200, `={"renamed":"x"}`},
		{get + "name=a%26b+c", 200, `={"name":"a&b c"}`},
		{get + "name=a&name=b", 400, `"field":"name"`},
		{get + "labels[a]=1&labels[a]=2", 400, `"field":"labels[a]"`},
		{get + "nope=1", 400, `"field":"nope"`},
		{get + "inner.nope=1", 400, `"field":"inner.nope"`},
		{get + "naem=1", 400, `did you mean \"name\"?`},
		{get + "number=5.5", 400, `"field":"number"`},
		{get + "big=9223372036854775808", 400, `"field":"big"`},
		{get + "ok=1", 400, `"field":"ok"`},
		{get + "inner=x", 400, `"field":"inner"`},
		{get + "inners.n=1", 400, `"field":"inners.n"`},
		{get + "left=a&right=b", 400, `"field":"right"`},
		{get + "name=%ff", 400, `"field":"name"`},
		{get + "name=%zz", 400, `"field":"name"`},
		{"GET /v1/get/a?name=b", 200, `={"name":"a"}`},
		{"PUT /v1/put/a?number=1 {}", 400, `"field":"number"`},
		{`POST /v1/inner/a?number=1 {"n":2}`, 200, `={"name":"a","number":1,"inner":{"n":2}}`},
		{`POST /v1/inner/a?inner.n=1 {"n":2}`, 400, `"field":"inner.n"`},
	})
}

func TestBodies(t *testing.T) {
	t.Parallel()
	runRequests(t, []request{
		{`PUT /v1/put/p {"name":"body","number":5}`, 200, `={"name":"p","number":5}`},
		{"PUT /v1/put/p", 200, `={"name":"p"}`},
		{`PUT /v1/put/p {"inner":{"inner":{"n":"x"}}}`, 400, `"field":"/inner/inner/n"`},
		{`PUT /v1/put/p {"inners":[{},{"n":true}]}`, 400, `"field":"/inners/1/n"`},
		{`PUT /v1/put/p {"naem":5}`, 400, `did you mean \"name\"?`},
		{`PUT /v1/put/p {"number":1,"number":2}`, 400, `"field":"/number"`},
		{`PUT /v1/put/p {"number":5} {}`, 400, "line 1:14"},
		{`PUT /v1/put/p {"number":5,}`, 400, "line 1:13"},
		{`PUT /v1/put/p []`, 400, "got a list"},
		{`POST /v1/inners [{"n":1},{}]`, 200, `={"inners":[{"n":1},{}]}`},
		{`POST /v1/inners {}`, 400, "expected a list"},
		{`POST /v1/name "x"`, 200, `={"name":"x"}`},
		{`GET /v1/query {}`, 400, "takes no request body"},
		{`PATCH /v1/patch/p {"n":1,"inner":{"n":5,"tags":[]}}`, 200, `"updateMask":"n,inner.n,inner.tags"`},
		{`PATCH /v1/patch/p?updateMask=n {"n":1,"tags":["a"]}`, 200, `"updateMask":"n"}`},
		{`PATCH /v1/patch/p?updateMask= {"n":null}`, 200, `"updateMask":"n"}`},
	})
}

func TestFallback(t *testing.T) {
	t.Parallel()
	requests := []request{
		{`POST /rules.Rules/Plain {"name":"x"}`, 200, `={"name":"x"}`},
		{`POST /rules.Rules/Get {"name":"x"}`, 200, `={"name":"x"}`},
		{`POST /rules.Rules/Plain {"naem":"x"}`, 400, `"code":3`},
		{`POST /rules.Rules/Plain?name=x {}`, 400, `"field":"name"`},
		{`POST /rules.Rules/Plian {}`, 404, `did you mean \"Plain\"?`},
		{`POST /rules.Rule/Plain {}`, 404, `did you mean \"rules.Rules\"?`},
		{`GET /rules.Rules/Plain`, 405, `"code":12`},
		{`POST /grpc.health.v1.Health/Check {}`, 200, `={"status":"SERVING"}`},
	}
	runRequests(t, requests)
	runRequests(t, requests[:2], "Content-Type", "application/x-www-form-urlencoded") // as curl -d sends it
	runRequests(t, []request{
		{`POST /rules.Rules/Plain {"name":"x"}`, 200, `={"name":"x"}`},
		{`POST /rules.Rules/Plian {}`, 404, `"code":"unimplemented"`},
	}, "Connect-Protocol-Version", "1")
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	var requests []request
	for code, want := range []int{500, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401, 500} {
		requests = append(requests, request{"GET /v1/fail/" + strconv.Itoa(code), want, ""})
	}
	requests[5].body = `={"code":5,"message":"failed","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ASKED"}]}`
	runRequests(t, requests)
}

func TestStreamsOfAnswers(t *testing.T) {
	t.Parallel()
	const failure = `{"error":{"code":5,"message":"failed","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ASKED"}]}}`
	for accept, want := range map[string][]request{
		"*/*": {
			{"GET /v1/count/2", 200, "={\"number\":1}\n{\"number\":2}"},
			{"GET /v1/count/1?name=x", 200, "={\"number\":1}\n" + failure},
			{"GET /v1/count/0?name=x", 404, `={"code":5,`},
		},
		"application/json": {
			{"GET /v1/count/2", 200, "=[{\"number\":1},\n{\"number\":2}]"},
			{"GET /v1/count/0", 200, "=[]"},
			{"GET /v1/count/1?name=x", 200, "=[{\"number\":1},\n" + failure + "]"},
			{"GET /v1/count/0?name=x", 404, `"code":5,`},
		},
		"text/event-stream": {
			{"GET /v1/count/1", 200, "=data: {\"number\":1}\n\nevent: end\ndata: {}\n"},
			{"GET /v1/count/1?name=x", 200, "=data: {\"number\":1}\n\nevent: error\ndata: " + failure + "\n"},
			{"GET /v1/count/0?name=x", 404, `"code":5,`},
		},
		"application/xml": {{"GET /v1/count/1", 406, `"code":3`}},
	} {
		for i := range want {
			if want[i].status != 200 {
				want[i].body = strings.TrimPrefix(want[i].body, "=")
			}
		}
		runRequests(t, want, "Accept", accept)
	}
	for _, body := range []string{`{"number":1}{"number":2}`, "{\"number\":1}\n{\"number\":2}\n", `[{"number":1},{"number":2}]`} {
		runRequests(t, []request{{"POST /v1/echo " + body, 200, "={\"number\":1}\n{\"number\":2}"}})
	}
}
