package restfront

import (
	"bufio"
	"context"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/handlers"
)

// start serves f on a listener, over HTTP/1.1 and HTTP/2 without TLS.
func start(t *testing.T, f *Front) (url string) {
	t.Helper()
	s := httptest.NewUnstartedServer(f)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// client returns a client that speaks HTTP/1.1 or HTTP/2.
func client(t *testing.T, version int) *http.Client {
	transport := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	transport.Protocols.SetHTTP1(version == 1)
	transport.Protocols.SetUnencryptedHTTP2(version == 2)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

// both runs a test with HTTP/1.1 and HTTP/2.
func both(t *testing.T, f *Front, test func(t *testing.T, c *http.Client, url string)) {
	url := start(t, f)
	for version, name := range []string{1: "http1", 2: "http2"} {
		if version > 0 {
			t.Run(name, func(t *testing.T) { test(t, client(t, version), url) })
		}
	}
}

// reply is a response without its body.
type reply struct {
	code            int
	header, trailer http.Header
}

func do(t *testing.T, c *http.Client, verb, url, body string, headers ...string) (reply, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), verb, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%v after %q", err, text)
	}
	return reply{resp.StatusCode, resp.Header, resp.Trailer}, string(text)
}

// count answers with the numbers below the request's; if that is above 2, then with an
// error.
var count = handlers.ServerStream(func(ctx context.Context, in *allMessage) iter.Seq2[*allMessage, error] {
	return func(yield func(*allMessage, error) bool) {
		_ = handlers.CallFrom(ctx).SetHeader(metadata.Pairs("x-a", "b"))
		handlers.CallFrom(ctx).SetTrailer(metadata.Pairs("x-t", "c"))
		for i := range min(in.Number, 2) {
			if !yield(&allMessage{Text: "n", Number: i}, nil) {
				return
			}
		}
		if in.Number != 2 {
			yield(nil, status.Error(codes.OutOfRange, "too many"))
		}
	}
})

type allMessage struct {
	Text   string
	Number int32
}

func TestServerStream(t *testing.T) {
	both(t, newTest(t, Options{}, map[string]handlers.Implementation{"Many": count}), func(t *testing.T, c *http.Client, url string) {
		for _, test := range []struct{ path, accept, contentType, body string }{
			{"/v1/many/2", "", "application/x-ndjson", "{\"text\":\"n\"}\n{\"text\":\"n\",\"number\":1}\n"},
			{"/v1/many/2", "application/json", "application/json", "[{\"text\":\"n\"},\n{\"text\":\"n\",\"number\":1}]\n"},
			{"/v1/many/2", "text/event-stream", "text/event-stream", "data: {\"text\":\"n\"}\n\ndata: {\"text\":\"n\",\"number\":1}\n\nevent: end\ndata: {}\n\n"},
			{"/v1/many/3", "", "application/x-ndjson", "{\"text\":\"n\"}\n{\"text\":\"n\",\"number\":1}\n{\"error\":{\"code\":11,\"message\":\"too many\"}}\n"},
			{"/v1/many/3", "application/json", "application/json", "[{\"text\":\"n\"},\n{\"text\":\"n\",\"number\":1},\n{\"error\":{\"code\":11,\"message\":\"too many\"}}]\n"},
		} {
			resp, body := do(t, c, "GET", url+test.path, "", "Accept", test.accept, "TE", "trailers")
			if resp.code != 200 || resp.header.Get("Content-Type") != test.contentType || body != test.body {
				t.Errorf("%s %s: %d %s\n%q", test.path, test.accept, resp.code, resp.header, body)
			}
			if resp.header.Get("Grpc-Metadata-X-A") != "b" || resp.trailer.Get("Grpc-Trailer-X-T") != "c" || resp.header.Get("Vary") != "Accept" {
				t.Errorf("header %v, trailer %v", resp.header, resp.trailer)
			}
		}
		for _, accept := range []string{"", "application/json", "text/event-stream"} {
			resp, body := do(t, c, "GET", url+"/v1/many/0", "", "Accept", accept)
			if resp.code != 400 || body != `{"code":11,"message":"too many"}` || resp.header.Get("Content-Type") != "application/json" {
				t.Errorf("%d %v %s", resp.code, resp.header, body)
			}
		}
		if resp, body := do(t, c, "GET", url+"/v1/many/2", "", "Accept", "image/png"); resp.code != 406 {
			t.Errorf("%d %s", resp.code, body)
		}
		if resp, body := do(t, c, "HEAD", url+"/v1/many/2", ""); resp.code != 200 || body != "" {
			t.Errorf("%d %s", resp.code, body)
		}
		if resp, body := do(t, c, "GET", url+"/v1/many/x", ""); resp.code != 400 {
			t.Errorf("%d %s", resp.code, body)
		}
	})
}

// collect joins the texts of its requests.
var collect = handlers.ClientStream(func(_ context.Context, in iter.Seq2[*allMessage, error]) (*allMessage, error) {
	out := new(allMessage)
	for m, err := range in {
		if err != nil {
			return nil, err
		}
		if m.Text == "stop" {
			break
		}
		out.Text, out.Number = out.Text+m.Text, out.Number+1
	}
	return out, nil
})

func TestClientStream(t *testing.T) {
	both(t, newTest(t, Options{MaxBodyBytes: 100}, map[string]handlers.Implementation{"Collect": collect}), func(t *testing.T, c *http.Client, url string) {
		for _, test := range []struct {
			contentType, body string
			code              int
			answer            string
		}{
			{"application/x-ndjson", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n", 200, `{"text":"ab","number":2}`},
			{"application/json", `[{"text":"a"}, {"text":"b"}]`, 200, `{"text":"ab","number":2}`},
			{"", `{"text":"a"}`, 200, `{"text":"a","number":1}`},
			{"", ``, 200, `{}`},
			{"application/json", `[]`, 200, `{}`},
			{"application/x-ndjson", `{"text":"a"} {"text":"stop"} not JSON`, 200, `{"text":"a","number":1}`},
			{"application/x-ndjson", `{"text":"a"} {"number":"x"}`, 400, bad(`"document 2, which begins at line 1:14: number: expected int32, got the string \"x\""`, `"/number"`, `"expected int32, got the string \"x\""`)},
			{"application/x-ndjson", `{"text":"` + strings.Repeat("a", 200) + `"}`, 413, `{"code":8,"message":"the request body: document 1, which begins at line 1:1, is larger than 100 bytes"}`},
			{"text/plain", `{}`, 415, `{"code":3,"message":"the content type \"text/plain\" is not supported; supported: application/x-ndjson, application/json"}`},
		} {
			resp, body := do(t, c, "POST", url+"/v1/collect/n", test.body, "Content-Type", test.contentType)
			if resp.code != test.code || body != test.answer {
				t.Errorf("%s %.50s: %d %s", test.contentType, test.body, resp.code, body)
			}
		}
	})
}

// TestEarlyAnswer answers before the caller has sent its stream, and leaves it unread.
func TestEarlyAnswer(t *testing.T) {
	both(t, newTest(t, Options{}, map[string]handlers.Implementation{"Collect": collect}), func(t *testing.T, c *http.Client, url string) {
		in, out := io.Pipe()
		defer out.Close()
		go func() { _, _ = io.WriteString(out, `{"text":"stop"}`+"\n") }() // ends with the request
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/collect/n", in)
		resp, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); string(body) != `{}` || err != nil {
			t.Errorf("%q %v", body, err)
		}
	})
}

func TestFullDuplex(t *testing.T) {
	both(t, newTest(t, Options{}, nil), func(t *testing.T, c *http.Client, url string) {
		in, out := io.Pipe()
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/chat", in)
		r.Header.Set("Content-Type", "application/x-ndjson")
		go func() { _, _ = io.WriteString(out, `{"number":0}`+"\n") }() // ends with the request
		resp, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		lines := bufio.NewReader(resp.Body)
		for i, want := range []string{"{}\n", "{\"number\":1}\n", "{\"number\":2}\n"} {
			if got, err := lines.ReadString('\n'); got != want || err != nil {
				t.Fatalf("%d: %q %v", i, got, err)
			}
			if i < 2 {
				_, _ = io.WriteString(out, strings.Replace(want, "}", `"number":`+string(rune('1'+i))+"}", 1)[:1]+`"number":`+string(rune('1'+i))+"}\n")
			}
		}
		_ = out.Close()
		if rest, err := io.ReadAll(lines); len(rest) > 0 || err != nil {
			t.Errorf("%q %v", rest, err)
		}
	})
}
