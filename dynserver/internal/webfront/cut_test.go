package webfront

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/handlers"
)

// within fails if nothing comes in a while.
func within[T any](tb testing.TB, from <-chan T, what string) (v T) {
	tb.Helper()
	select {
	case v = <-from:
	case <-time.After(30 * time.Second):
		tb.Fatal("waited too long for", what)
	}
	return v
}

// conn1 is a connection of HTTP/1.1 that a test writes by hand.
type conn1 struct {
	net.Conn
	in *bufio.Reader
}

func dial(tb testing.TB, url string) conn1 {
	tb.Helper()
	c, err := new(net.Dialer).DialContext(tb.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		tb.Fatal(err)
	}
	return conn1{c, bufio.NewReader(c)}
}

// begin sends the header of a request and the first chunk of its body.
func (c conn1) begin(tb testing.TB, path, first string, header ...string) {
	tb.Helper()
	_, err := fmt.Fprintf(c, "POST /web.Svc/%s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n%s\r\n\r\n%s",
		path, strings.Join(header, "\r\n"), chunk(first))
	if err != nil {
		tb.Fatal(err)
	}
}

func chunk(data string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(data), data) }

func (c conn1) response(tb testing.TB) *http.Response {
	tb.Helper()
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// TestBidiOverHTTP1 exchanges messages in turn over HTTP/1.1, which has no streams in
// both directions by its own.
func TestBidiOverHTTP1(t *testing.T) {
	server := start(t, New(newCurrent(t, nil), Options{}))
	c := dial(t, server.URL)
	c.begin(t, "Bidi", string(framed(string(wireOf("a")))), "Content-Type: application/connect+proto")
	res := c.response(t)
	for _, text := range []string{"a", "b"} {
		got := make([]byte, len(framed(string(wireOf("got "+text)))))
		if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != string(framed(string(wireOf("got "+text)))) {
			t.Fatalf("%q, error %v", got, err)
		}
		if text == "a" {
			_, _ = io.WriteString(c, chunk(string(framed(string(wireOf("b")))))+"0\r\n\r\n")
		}
	}
	if end, err := io.ReadAll(res.Body); err != nil || string(end[5:]) != `{"metadata":{}}` && !strings.Contains(string(end), `"T-Out"`) {
		t.Errorf("end of stream %q, error %v", end, err)
	}
}

// TestNoRequestIsSmuggled sends a request in the body of another whose handler does not
// read it.
func TestNoRequestIsSmuggled(t *testing.T) {
	server := start(t, New(newCurrent(t, func(_ context.Context, call handlers.Call) error {
		if _, err := call.Recv(); err != nil {
			return err
		}
		return status.Error(codes.NotFound, "no")
	}), Options{}))
	const smuggled = "POST /web.Svc/Unary HTTP/1.1\r\nHost: x\r\nContent-Type: application/proto\r\nContent-Length: 0\r\n\r\n"
	for _, method := range []string{"Any", "Client", "Bidi", "Server", "Unary"} {
		for _, content := range []string{"application/connect+proto", "application/grpc-web+proto", "application/proto"} {
			unary := method == "Unary"
			if unary && content == "application/connect+proto" || !unary && content == "application/proto" {
				continue // is refused
			}
			for _, timeout := range []string{"0", "1", "10000"} {
				c := dial(t, server.URL)
				t.Log(method, content, timeout)
				c.begin(t, method, string(framed("\xff")), "Content-Type: "+content, "Connect-Timeout-Ms: "+timeout, "Grpc-Timeout: "+timeout+"m")
				var res *http.Response
				if early := timeout != "10000" || method == "Any"; early {
					res = c.response(t)
				}
				_, _ = io.WriteString(c, chunk(smuggled)+"0\r\n\r\n")
				if res == nil {
					res = c.response(t)
				}
				_, _ = io.ReadAll(res.Body)
				_ = c.CloseWrite()
				if rest, _ := io.ReadAll(c.in); len(rest) > 0 {
					t.Errorf("%s %s %s: after the response %s: %q", method, content, timeout, res.Status, rest)
				}
			}
		}
	}
}

// CloseWrite ends the sending direction.
func (c conn1) CloseWrite() error { return c.Conn.(*net.TCPConn).CloseWrite() }

// TestDeadlineEndsReading waits for messages that do not come, until the deadline.
func TestDeadlineEndsReading(t *testing.T) {
	ended := make(chan error, 1)
	server := start(t, New(newCurrent(t, func(_ context.Context, call handlers.Call) error {
		for { // ignores its context
			data, err := call.Recv()
			if err != nil {
				ended <- err
				return err
			}
			data.Free()
		}
	}), Options{}))
	t.Run("HTTP/1.1", func(t *testing.T) {
		c := dial(t, server.URL)
		c.begin(t, "Any", string(framed("")), "Content-Type: application/connect+proto", "Connect-Timeout-Ms: 50")
		end, _ := io.ReadAll(c.response(t).Body)
		if !strings.Contains(string(end), `"code":"deadline_exceeded"`) {
			t.Errorf("end of stream %q", end)
		}
		within(t, ended, "the handler")
	})
	t.Run("HTTP/1.1, unary", func(t *testing.T) {
		c := dial(t, server.URL)
		c.begin(t, "Unary", "\n", "Content-Type: application/proto", "Connect-Timeout-Ms: 50")
		res := c.response(t)
		if body, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusGatewayTimeout {
			t.Errorf("%s %s", res.Status, body)
		}
	})
	t.Run("HTTP/2", func(t *testing.T) {
		body, in := io.Pipe() // is not closed before the test ends
		defer in.Close()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/web.Svc/Any", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/grpc-web")
		req.Header.Set("Grpc-Timeout", "50m")
		res, err := clientOf(t, 2).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if got := res.Header.Get("Grpc-Status"); got != "4" {
			t.Errorf("status %s", got)
		}
		within(t, ended, "the handler")
	})
}

// TestNextRequestHasNoDeadline uses a connection again after a call whose deadline has
// passed.
func TestNextRequestHasNoDeadline(t *testing.T) {
	grace := writeGrace
	writeGrace = 10 * time.Millisecond
	defer func() { writeGrace = grace }()
	server := start(t, New(newCurrent(t, func(ctx context.Context, call handlers.Call) error {
		for {
			if _, err := call.Recv(); err == io.EOF {
				<-ctx.Done()
				return ctx.Err()
			} else if err != nil {
				return err
			}
		}
	}), Options{}))
	c := dial(t, server.URL)
	for range 20 {
		c.begin(t, "Any", string(framed("")), "Content-Type: application/connect+proto", "Connect-Timeout-Ms: 20")
		if _, err := io.WriteString(c, "0\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		first := c.response(t)
		end, err := io.ReadAll(first.Body)
		if err != nil || !strings.Contains(string(end), "deadline_exceeded") {
			t.Fatalf("end of stream %q, error %v", end, err)
		}
		if first.Close { // the deadline was faster than the request
			c = dial(t, server.URL)
		}
		c.begin(t, "Unary", string(wireOf("Ada")), "Content-Type: application/proto")
		time.Sleep(2 * writeGrace) // so that a deadline that was left would have passed
		_, _ = io.WriteString(c, "0\r\n\r\n")
		res := c.response(t)
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != string(wireOf("hello Ada")) {
			t.Fatalf("%s %q %v", res.Status, body, err)
		}
	}
}

// TestDeadlineEndsWriting sends to a caller that does not read.
func TestDeadlineEndsWriting(t *testing.T) {
	grace := writeGrace
	writeGrace = 10 * time.Millisecond
	defer func() { writeGrace = grace }()
	ended := make(chan error, 1)
	server := start(t, New(newCurrent(t, func(_ context.Context, call handlers.Call) error {
		for { // ignores its context
			if err := call.Send(mem.BufferSlice{mem.SliceBuffer(make([]byte, 1<<20))}); err != nil {
				ended <- err
				return err
			}
		}
	}), Options{}))
	t.Run("HTTP/1.1", func(t *testing.T) {
		c := dial(t, server.URL)
		c.begin(t, "Any", "\x00", "Content-Type: application/connect+proto", "Connect-Timeout-Ms: 50")
		within(t, ended, "the handler")
	})
	t.Run("HTTP/2", func(t *testing.T) {
		stream := way{protocol: "grpc", codec: "proto", version: 2}.client(t, server.URL, "Any").CallBidiStream(t.Context())
		stream.RequestHeader().Set("Grpc-Timeout", "50m")
		if err := stream.Send(&msg{}); err != nil {
			t.Fatal(err)
		}
		within(t, ended, "the handler")
		_ = stream.CloseResponse()
	})
}

// TestCallersMayLeave cancels a call while the handler sends, and one while it receives.
func TestCallersMayLeave(t *testing.T) {
	began, ended := make(chan bool, 1), make(chan error, 1)
	server := start(t, New(newCurrent(t, func(_ context.Context, call handlers.Call) (err error) {
		defer func() { ended <- err }()
		began <- true
		if len(call.Header().Get("sends")) == 0 {
			_, err = call.Recv()
			return err
		}
		for err == nil {
			err = call.Send(mem.BufferSlice{mem.SliceBuffer("x")})
		}
		return err
	}), Options{}))
	for _, protocol := range []string{"connect", "grpcweb", "grpc"} {
		for _, sends := range []string{"", "yes"} {
			ctx, cancel := context.WithCancel(t.Context())
			stream := way{protocol: protocol, codec: "proto", version: 2}.client(t, server.URL, "Any").CallBidiStream(ctx)
			if sends != "" {
				stream.RequestHeader().Set("Sends", sends)
			}
			if err := stream.Send(nil); err != nil {
				t.Fatal(err)
			}
			within(t, began, "the handler")
			cancel()
			if err := within(t, ended, "the end of the handler"); status.Code(err) != codes.Canceled {
				t.Errorf("%s: error %v", protocol, err)
			}
			_ = stream.CloseResponse()
		}
	}
}

// TestHandlersMayLeaveGoroutines returns while a goroutine still receives, which must
// end, and later ones must not touch the request.
func TestHandlersMayLeaveGoroutines(t *testing.T) {
	ended := make(chan error, 1)
	server := start(t, New(newCurrent(t, func(_ context.Context, call handlers.Call) error {
		receiving := make(chan bool)
		go func() {
			_, err := call.Recv() // there is one
			for err == nil {
				close(receiving)
				_, err = call.Recv()
			}
			if again := call.Send(nil); again == nil {
				t.Error("sent after the call")
			}
			ended <- err
		}()
		<-receiving
		return nil
	}), Options{}))
	t.Run("HTTP/1.1", func(t *testing.T) {
		c := dial(t, server.URL)
		c.begin(t, "Any", string(framed("")), "Content-Type: application/connect+proto")
		if end, err := io.ReadAll(c.response(t).Body); err != nil || string(end[5:]) != "{}" {
			t.Errorf("end of stream %q %v", end, err)
		}
		within(t, ended, "the goroutine")
	})
	t.Run("HTTP/2", func(t *testing.T) {
		stream := way{protocol: "grpc", codec: "proto", version: 2}.client(t, server.URL, "Any").CallBidiStream(t.Context())
		defer stream.CloseResponse()
		if err := stream.Send(&msg{}); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Receive(); err != io.EOF && connect.CodeOf(err) != connect.CodeUnknown {
			t.Error(err)
		}
		within(t, ended, "the goroutine")
	})
}

// TestHeaders checks when headers are sent.
func TestHeaders(t *testing.T) {
	proceed := make(chan bool)
	server := start(t, New(newCurrent(t, func(_ context.Context, call handlers.Call) error {
		if err := call.SendHeader(nil); err != nil {
			return err
		}
		<-proceed // until the caller has the header
		if err := call.SetHeader(nil); status.Code(err) != codes.Internal {
			t.Error("SetHeader after SendHeader:", err)
		}
		return nil
	}), Options{}))
	for _, w := range ways() {
		if w.version == 1 || w.compression != "" {
			continue
		}
		stream := w.client(t, server.URL, "Any").CallBidiStream(t.Context())
		if err := stream.Send(nil); err != nil {
			t.Fatal(err)
		}
		if stream.ResponseHeader().Get("Content-Type") == "" {
			t.Errorf("%v: no header", w)
		}
		proceed <- true
		_ = stream.CloseRequest()
		if _, err := stream.Receive(); err != io.EOF && !strings.Contains(err.Error(), "EOF") {
			t.Errorf("%v: %v", w, err)
		}
		_ = stream.CloseResponse()
	}
}

// TestTheServerMayCut checks what callers learn when the server ends their calls.
func TestTheServerMayCut(t *testing.T) {
	front := New(newCurrent(t, func(ctx context.Context, call handlers.Call) error {
		_, err := call.Recv()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}), Options{})
	base, cut := context.WithCancelCause(t.Context())
	began := make(chan bool, 1)
	server := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancelCause(r.Context())
		defer cancel(nil)
		defer context.AfterFunc(base, func() { cancel(context.Cause(base)) })()
		began <- true
		front.ServeHTTP(w, r.WithContext(ctx))
	}))
	c := dial(t, server.URL)
	c.begin(t, "Any", "\x00", "Content-Type: application/connect+proto") // and no more of a message
	within(t, began, "the call")
	cut(status.Error(codes.Unavailable, "the server ends"))
	if end, err := io.ReadAll(c.response(t).Body); err != nil || !strings.Contains(string(end), `"code":"unavailable","message":"the server ends"`) {
		t.Errorf("end of stream %q %v", end, err)
	}
}
