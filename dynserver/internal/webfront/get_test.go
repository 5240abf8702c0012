package webfront

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"

	"github.com/dyngate/dyngate/handlers"
)

// request makes a request and returns the response with its body read.
func request(tb testing.TB, c *http.Client, method, url, body string, header ...string) (*http.Response, string) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, url, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return res, string(content)
}

func TestGet(t *testing.T) {
	server := start(t, New(newCurrent(t, nil), Options{CompressMinBytes: -1}))
	c := clientOf(t, 1)
	query := "?connect=v1&encoding=json&message=" + url.QueryEscape(`{"text":"Ada"}`)
	res, body := request(t, c, "GET", server.URL+"/web.Svc/Get"+query, "")
	tag := res.Header.Get("Etag")
	if res.StatusCode != http.StatusOK || body != `{"text":"hello Ada"}` || !strings.HasPrefix(tag, `W/"`) || res.Header.Get("Vary") != "Accept-Encoding" {
		t.Fatalf("%s %v %s", res.Status, res.Header, body)
	}
	for _, tt := range []struct {
		match  string
		status int
	}{
		{tag, 304}, {strings.TrimPrefix(tag, "W/"), 304}, {`"a", ` + tag, 304}, {"*", 304}, {`W/"a"`, 200}, {`,"`, 200},
	} {
		res, body := request(t, c, "GET", server.URL+"/web.Svc/Get"+query, "", "If-None-Match", tt.match)
		if res.StatusCode != tt.status || res.Header.Get("Etag") != tag || (body == "") != (tt.status == 304) {
			t.Errorf("If-None-Match %s: %s %v %q", tt.match, res.Status, res.Header, body)
		}
	}
	other, _ := request(t, c, "GET", server.URL+"/web.Svc/Get"+strings.Replace(query, "Ada", "Eve", 1), "")
	if got := other.Header.Get("Etag"); got == tag {
		t.Error("two responses have the same tag", got)
	}
	refused, _ := request(t, c, "GET", server.URL+"/web.Svc/Unary"+query, "")
	if refused.StatusCode != http.StatusMethodNotAllowed || refused.Header.Get("Allow") != "POST" {
		t.Errorf("GET of a method with side effects: %s %v", refused.Status, refused.Header)
	}
}

func TestClientsMayUseGet(t *testing.T) {
	var verb string
	front := New(newCurrent(t, nil), Options{})
	server := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		verb = r.Method
		if !Speaks(r) {
			t.Error("this is not Connect:", r.URL)
		}
		front.ServeHTTP(w, r)
	}))
	for _, w := range ways() {
		if w.protocol != "connect" {
			continue
		}
		c := w.client(t, server.URL, "Get", connect.WithIdempotency(connect.IdempotencyNoSideEffects), connect.WithHTTPGet())
		if got := callUnary(t.Context(), c, nil, []string{"a"}); got.err != nil || got.texts[0] != "hello a" || verb != "GET" {
			t.Errorf("%v: %s %v", w, verb, got)
		}
	}
}

// TestHandlersMayTag checks that a handler's own entity tag is used.
func TestHandlersMayTag(t *testing.T) {
	reg := handlers.NewRegistry()
	reg.Handle("web.Svc/Get", handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) { return tagging, nil }))
	server := start(t, New(serving(t, testProto, reg), Options{}))
	url := server.URL + `/web.Svc/Get?connect=v1&encoding=json&message={}`
	for match, want := range map[string]int{`"mine"`: 304, `"other"`: 200} {
		res, _ := request(t, clientOf(t, 1), "GET", url, "", "If-None-Match", match)
		if res.StatusCode != want || res.Header.Get("Etag") != `"mine"` {
			t.Errorf("%s: %s %v", match, res.Status, res.Header)
		}
	}
}

var tagging = handlers.HandlerFunc(func(_ context.Context, call handlers.Call) error {
	if err := call.SetHeader(metadata.Pairs("etag", `"mine"`)); err != nil {
		return err
	}
	return call.Send(mem.BufferSlice{mem.SliceBuffer(nil)})
})

func TestSpeaks(t *testing.T) {
	for _, tt := range []struct {
		method, url, content, version string
		want                          bool
	}{
		{"POST", "/", "application/json", "", false},
		{"POST", "/", "application/json", "1", true},
		{"POST", "/", "application/proto", "", true},
		{"POST", "/", "Application/Connect+JSON; charset=utf-8", "", true},
		{"POST", "/", "application/grpc", "", true},
		{"POST", "/", "application/grpc-web-text+proto", "", true},
		{"POST", "/", "", "", false},
		{"POST", "/?connect=v1", "application/json", "", false},
		{"GET", "/?a=b&connect=v1", "", "", true},
		{"GET", "/?connect=v2", "", "", false},
		{"GET", "/?myconnect=v1", "", "", false},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, tt.url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", tt.content)
		if tt.version != "" {
			r.Header.Set("Connect-Protocol-Version", tt.version)
		}
		if got := Speaks(r); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

// TestWrongRequests checks the statuses of HTTP.
func TestWrongRequests(t *testing.T) {
	server := start(t, New(newCurrent(t, nil), Options{}))
	const v1 = "Connect-Protocol-Version"
	for _, tt := range []struct {
		method, path, body string
		header             []string
		status             int
		want               string
	}{
		{"POST", "Unary", `{"text":1}`, []string{"Content-Type", "application/json", v1, "1"}, 400, `text: expected string, got the number 1`},
		{"POST", "Unary", ``, []string{"Content-Type", "application/json", v1, "1"}, 400, `"code":"invalid_argument"`},
		{"POST", "Unary", `{"unknown":1}`, []string{"Content-Type", "application/json;charset=UTF-8", v1, "1"}, 200, `{"text":"hello "}`},
		{"POST", "Unary", `{}`, []string{"Content-Type", "application/json", v1, "2"}, 400, `must be \"1\"`},
		{"POST", "Unary", `{}`, []string{"Content-Type", "application/json", v1, "1", "In-Bin", "!"}, 400, `header in-bin: the value is not base64`},
		{"POST", "Unary", `{}`, []string{"Content-Type", "application/json", v1, "1", "Content-Encoding", "deflate"}, 501, `unknown compression`},
		{"POST", "Unary", `{}`, []string{"Content-Type", "application/json", v1, "1", "Connect-Timeout-Ms", "soon"}, 400, `parse timeout`},
		{"POST", "Unary", `x`, []string{"Content-Type", "text/plain", v1, "1"}, 415, ``},
		{"POST", "Unary", ``, []string{"Content-Type", "application/connect+json"}, 415, ``},
		{"POST", "Server", `{}`, []string{"Content-Type", "application/json", v1, "1"}, 415, ``},
		{"POST", "Unary", ``, []string{"Content-Type", "application/grpc+thrift"}, 415, ``},
		{"PUT", "Unary", `{}`, []string{"Content-Type", "application/json", v1, "1"}, 405, ``},
		{"POST", "Unari", `{}`, []string{"Content-Type", "application/json", v1, "1"}, 404, `did you mean \"Unary\"`},
	} {
		res, body := request(t, clientOf(t, 1), tt.method, server.URL+"/web.Svc/"+tt.path, tt.body, tt.header...)
		if res.StatusCode != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%v: %s %s", tt, res.Status, body)
		}
	}
}

// TestDetailsAreShown checks that Connect's errors have details as JSON, also of types
// that only the schema knows.
func TestDetailsAreShown(t *testing.T) {
	server := start(t, New(newCurrent(t, nil), Options{}))
	_, body := request(t, clientOf(t, 1), "POST", server.URL+"/web.Svc/Unary", `{"text":"fail"}`,
		"Content-Type", "application/json", "Connect-Protocol-Version", "1")
	if want := `{"type":"web.Detail","value":"CAc","debug":{"number":7}}`; !strings.Contains(body, want) {
		t.Error(body)
	}
}
