package restfront

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
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

// TestCutBody has callers that end the connection inside the body.
func TestCutBody(t *testing.T) {
	s := httptest.NewServer(newTest(t, Options{}, map[string]handlers.Implementation{"Collect": collect}))
	defer s.Close()
	for _, path := range []string{"/test.Svc/Echo", "/v1/collect/n"} {
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{}")
		_ = conn.(*net.TCPConn).CloseWrite()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 499 || string(body) != `{"code":1,"message":"the request body ends early"}` {
			t.Errorf("%s: %s %s", path, resp.Status, body)
		}
		_ = resp.Body.Close()
		_ = conn.Close()
	}
}
