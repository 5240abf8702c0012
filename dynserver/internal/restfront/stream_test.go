package restfront

import (
	"bufio"
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
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

// TestCallerGone ends the context of a handler whose caller disconnects.
func TestCallerGone(t *testing.T) {
	ended := make(chan error, 1)
	wait := raw(func(ctx context.Context, call handlers.Call) error {
		if data, err := call.Recv(); err == nil {
			data.Free()
		}
		_ = call.SendHeader(metadata.Pairs("x-a", "b"))
		<-ctx.Done()
		_, err := call.Recv()
		ended <- err
		return ctx.Err()
	})
	both(t, newTest(t, Options{}, map[string]handlers.Implementation{"Chat": wait, "Many": wait}), func(t *testing.T, c *http.Client, url string) {
		for _, path := range []string{"POST /v1/chat", "GET /v1/many/1"} {
			ctx, cancel := context.WithCancel(t.Context())
			verb, path, _ := strings.Cut(path, " ")
			in, out := io.Pipe()
			var body io.Reader
			if verb == "POST" {
				body = in
				go func() { _, _ = io.WriteString(out, "{}\n") }() // ends with the request
			}
			r, _ := http.NewRequestWithContext(ctx, verb, url+path, body)
			resp, err := c.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			cancel()
			_ = resp.Body.Close()
			if err := <-ended; status.Code(err) != codes.Canceled && !errors.Is(err, io.EOF) {
				t.Errorf("%s: Recv returned %v", path, err)
			}
			_ = out.Close()
		}
	})
}

// TestDeadline ends calls at the deadline that the caller demands, also those that wait
// for the caller.
func TestDeadline(t *testing.T) {
	wait := raw(func(_ context.Context, call handlers.Call) error {
		for {
			data, err := call.Recv()
			if err != nil {
				return err
			}
			data.Free()
		}
	})
	sleep := raw(func(ctx context.Context, _ handlers.Call) error {
		<-ctx.Done()
		return ctx.Err()
	})
	f := newTest(t, Options{}, map[string]handlers.Implementation{"Chat": wait, "Collect": wait, "Echo": sleep, "Reply": wait})
	both(t, f, func(t *testing.T, c *http.Client, url string) {
		for _, path := range []string{"/v1/chat", "/v1/collect/a", "/test.Svc/Echo", "/test.Svc/Reply"} {
			in, out := io.Pipe()
			go func() { _, _ = io.WriteString(out, "{}\n") }() // ends with the request
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, in)
			r.Header.Set("Grpc-Timeout", "50m")
			resp, err := c.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusGatewayTimeout {
				t.Errorf("%s: %d %s", path, resp.StatusCode, body)
			}
			_ = resp.Body.Close()
			_ = out.Close()
		}
		if resp, body := do(t, c, "POST", url+"/test.Svc/Echo", "{}", "Grpc-Timeout", "soon"); resp.code != 400 {
			t.Errorf("%d %s", resp.code, body)
		}
	})
}

// TestDefaultDeadline has goroutines of a middleware that still receive and send when
// the handler has returned.
func TestDefaultDeadline(t *testing.T) {
	wait := raw(func(_ context.Context, call handlers.Call) error {
		for {
			data, err := call.Recv()
			if err != nil {
				return err
			}
			if err := call.Send(data); err != nil {
				return err
			}
		}
	})
	f := newTest(t, Options{}, map[string]handlers.Implementation{"Chat": wait}, handlers.DefaultDeadline(50*time.Millisecond))
	both(t, f, func(t *testing.T, c *http.Client, url string) {
		in, out := io.Pipe()
		defer out.Close()
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/chat", in)
		resp, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusGatewayTimeout {
			t.Errorf("%d %s", resp.StatusCode, body)
		}
	})
}

func TestRawStreams(t *testing.T) {
	download := raw(func(_ context.Context, call handlers.Call) error {
		data, err := call.Recv()
		if err != nil {
			return err
		}
		for _, chunk := range []string{"one ", "two"} {
			if err := call.Send(message(new(rawBody).append(nil, "text/x", []byte(chunk)))); err != nil {
				return err
			}
		}
		if strings.Contains(string(data.Materialize()), "broken") {
			return status.Error(codes.DataLoss, "broken")
		}
		return nil
	})
	var chunks []string
	put := raw(func(_ context.Context, call handlers.Call) error {
		chunks = nil
		var last []byte
		for {
			data, err := call.Recv()
			if err == io.EOF {
				return call.Send(message(last))
			}
			if err != nil {
				return err
			}
			last = data.Materialize()
			kind, content, _ := (&rawBody{field: 2}).split(last)
			chunks = append(chunks, kind+":"+string(content))
		}
	})
	f := newTest(t, Options{}, map[string]handlers.Implementation{"Download": download, "Put": put})
	both(t, f, func(t *testing.T, c *http.Client, url string) {
		resp, body := do(t, c, "GET", url+"/v1/files/a", "")
		if resp.code != 200 || body != "one two" || resp.header.Get("Content-Type") != "text/x" {
			t.Errorf("%d %s %s", resp.code, body, resp.header)
		}
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/files/broken", nil)
		broken, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(broken.Body); string(body) != "one two" || err == nil {
			t.Errorf("%s: the caller does not notice that the data is not complete", body)
		}
		_ = broken.Body.Close()
		large := strings.Repeat("x", 3*chunkBytes)
		resp, body = do(t, c, "PUT", url+"/v1/files/a?title=t", large, "Content-Type", "text/y")
		joined := strings.ReplaceAll(strings.Join(chunks, ""), "text/y:", "")
		if resp.code != 200 || joined != large || !strings.Contains(body, `"name":"a"`) || !strings.Contains(body, `"title":"t"`) {
			t.Errorf("%d %.200s, %d chunks", resp.code, body, len(chunks))
		}
		if resp, body = do(t, c, "PUT", url+"/v1/files/a", ""); resp.code != 200 || len(chunks) != 1 {
			t.Errorf("%d %.200s, %q", resp.code, body, chunks)
		}
		form := "--X\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nT\r\n--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\nContent-Type: text/z\r\n\r\nfile\r\n--X--\r\n"
		resp, body = do(t, c, "PUT", url+"/v1/files/a", form, "Content-Type", "multipart/form-data; boundary=X")
		if resp.code != 200 || len(chunks) != 1 || chunks[0] != "text/z:file" || !strings.Contains(body, `"title":"T"`) {
			t.Errorf("%d %.200s, %q", resp.code, body, chunks)
		}
	})
}

func TestWebSocket(t *testing.T) {
	f := newTest(t, Options{}, map[string]handlers.Implementation{"Many": count, "Collect": collect})
	url := start(t, f)
	for _, test := range []struct {
		path  string
		send  []string
		want  []string
		close websocket.StatusCode
	}{
		{"/v1/room/n", []string{`{"number":1}`, `{"inner":{"count":2}}`, ""}, []string{`{"number":1,"inner":{"name":"n"}}`, `{"inner":{"name":"n","count":2}}`}, 1000},
		{"/v1/many/2", nil, []string{`{"text":"n"}`, `{"text":"n","number":1}`}, 1000},
		{"/v1/many/3", nil, []string{`{"text":"n"}`, `{"text":"n","number":1}`, `{"error":{"code":11,"message":"too many"}}`}, 4011},
		{"/v1/collect/n", []string{`{"text":"a"}`, `{"text":"b"}`, ""}, []string{`{"text":"ab","number":2}`}, 1000},
		{"/v1/whole/x", []string{`{"number":1}`}, []string{`{"text":"x","number":1}`}, 1000},
		{"/test.Svc/Echo", []string{`{"number":1}`}, []string{`{"number":1}`}, 1000},
		{"/test.Svc/Echo", []string{`{"number":"x"}`}, []string{`{"error":` + bad(`"the request body: number: expected int32, got the string \"x\""`, `"/number"`, `"expected int32, got the string \"x\""`) + "}"}, 4003},
		{"/test.Svc/Fail", []string{`{}`}, []string{`{"error":{"code":12,"message":"method test.Svc/Fail is in the schema, but no handler answers it"}}`}, 4012},
	} {
		conn, resp, err := websocket.Dial(t.Context(), url+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body != nil {
			_ = resp.Body.Close()
		}
		for _, doc := range test.send {
			if err := conn.Write(t.Context(), websocket.MessageText, []byte(doc)); err != nil {
				t.Error(err)
			}
		}
		for _, want := range test.want {
			_, got, err := conn.Read(t.Context())
			if string(got) != want || err != nil {
				t.Errorf("%s: %s %v, want %s", test.path, got, err, want)
			}
		}
		if _, got, err := conn.Read(t.Context()); websocket.CloseStatus(err) != test.close {
			t.Errorf("%s: %s %v, want close status %d", test.path, got, err, test.close)
		}
		_ = conn.CloseNow()
	}
	for path, want := range map[string]int{"/v1/nothing": http.StatusNotFound, "/v1/many/2": http.StatusForbidden} {
		_, resp, err := websocket.Dial(t.Context(), url+path, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"https://other.example"}}})
		if err == nil || resp.StatusCode != want {
			t.Errorf("%s: %v", path, err)
		}
		if resp != nil && resp.Body != nil {
			_ = resp.Body.Close()
		}
	}
}

// TestSlowBody cuts off a caller that declares a body and does not send it, when the
// server has a timeout.
func TestSlowBody(t *testing.T) {
	s := httptest.NewUnstartedServer(newTest(t, Options{}, nil))
	s.Config.ReadTimeout = 50 * time.Millisecond
	s.Start()
	defer s.Close()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "POST /test.Svc/Echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestTimeout {
		t.Error(resp.Status)
	}
}
