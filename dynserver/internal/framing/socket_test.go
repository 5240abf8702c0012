package framing

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// limit bounds whatever a test waits for.
const limit = 30 * time.Second

// serve starts a server of one function, and returns a function that connects.
func serve(t *testing.T, sockets *Sockets, f func(ctx context.Context, s *Socket) *End) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var refused *HandshakeError
		if err := sockets.Serve(w, r, f); errors.As(err, &refused) {
			http.Error(w, refused.Problem, refused.HTTPStatus)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func connect(t *testing.T, server *httptest.Server) (context.Context, *websocket.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	conn, response, err := websocket.Dial(ctx, server.URL, nil) //nolint:bodyclose // the connection's
	if err != nil {
		t.Fatal(err)
	}
	if response.Header.Get("Sec-WebSocket-Extensions") != "" {
		t.Error("the server compresses")
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return ctx, conn
}

func echo(ctx context.Context, s *Socket) *End {
	for {
		doc, err := s.Receive(ctx)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = s.Send(ctx, doc)
		}
		if err != nil {
			return &End{Code: 1, Message: err.Error(), Status: []byte(`{"code":1}`)}
		}
	}
}

// exchange sends frames, and returns the frames of the answer and how it was closed.
func exchange(ctx context.Context, conn *websocket.Conn, frames ...string) (answer []string, end websocket.CloseError) {
	for _, frame := range frames {
		kind := websocket.MessageText
		if text, ok := strings.CutPrefix(frame, "binary:"); ok {
			kind, frame = websocket.MessageBinary, text
		}
		if conn.Write(ctx, kind, []byte(frame)) != nil {
			break
		}
	}
	conn.SetReadLimit(-1)
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			if !errors.As(err, &end) {
				end.Reason = err.Error()
			}
			return answer, end
		}
		answer = append(answer, string(data))
	}
}

func TestSocket(t *testing.T) {
	long := strings.Repeat("ü", 100)
	one := func(ctx context.Context, s *Socket) *End {
		doc, err := s.Receive(ctx)
		if err != nil {
			return &End{Code: 3, Message: err.Error(), Status: []byte(`{"code":3}`)}
		}
		s.Done()
		s.Done()
		_ = s.Send(ctx, doc)
		_ = s.Send(ctx, doc)
		return nil
	}
	wait := func(ctx context.Context, s *Socket) *End {
		s.Done()
		<-ctx.Done()
		return &End{Code: 1, Status: []byte("{}")}
	}
	fail := func(message string) func(context.Context, *Socket) *End {
		return func(context.Context, *Socket) *End {
			return &End{Code: 5, Message: message, Status: []byte(status)}
		}
	}
	for name, test := range map[string]struct {
		f      func(context.Context, *Socket) *End
		frames []string
		want   string
	}{
		"bidi":              {echo, []string{`{"a":1}`, `[2]`, ""}, `["{\"a\":1}" "[2]"] 1000 `},
		"twice empty":       {echo, []string{"1", "", ""}, `["1"] 1000 `},
		"nothing":           {echo, []string{""}, `[] 1000 `},
		"one":               {one, []string{"1"}, `["1" "1"] 1000 `},
		"one and empty":     {one, []string{"1", ""}, `["1" "1"] 1000 `},
		"one expected":      {one, []string{""}, `["{\"error\":{\"code\":3}}"] 4003 EOF`},
		"two instead":       {wait, []string{"1"}, `[] 1008 no further document is expected`},
		"after the end":     {wait, []string{"", "1"}, `[] 1008 a document after the empty frame that ends the stream`},
		"binary":            {wait, []string{"binary:1"}, `[] 1003 documents are sent as text frames`},
		"largest":           {echo, []string{strings.Repeat("1", 100), ""}, `["` + strings.Repeat("1", 100) + `"] 1000 `},
		"too large":         {wait, []string{strings.Repeat("1", 101)}, `[] 1009 a document is larger than 100 bytes`},
		"far too large":     {wait, []string{strings.Repeat("1", 1<<20)}, `[] 1009 a document is larger than 100 bytes`},
		"error":             {fail("no x"), nil, fmt.Sprintf("[%q] 4005 no x", `{"error":`+status+"}")},
		"long message":      {fail(long), nil, fmt.Sprintf("[%q] 4005 %s", `{"error":`+status+"}", long[:122])},
		"message not UTF-8": {fail("a\xff"), nil, fmt.Sprintf("[%q] 4005 a\uFFFD", `{"error":`+status+"}")},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, NewSockets(SocketOptions{MaxBytes: 100}), test.f)
			ctx, conn := connect(t, server)
			answer, end := exchange(ctx, conn, test.frames...)
			if got := fmt.Sprintf("%q %d %s", answer, end.Code, end.Reason); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestClientGone ends the context, however the client goes away.
func TestClientGone(t *testing.T) {
	for name, leave := range map[string]func(*websocket.Conn){
		"close":    func(c *websocket.Conn) { _ = c.Close(websocket.StatusGoingAway, "bye") },
		"abruptly": func(c *websocket.Conn) { _ = c.CloseNow() },
	} {
		t.Run(name, func(t *testing.T) {
			cause := make(chan error, 1)
			server := serve(t, NewSockets(SocketOptions{}), func(ctx context.Context, s *Socket) *End {
				<-ctx.Done()
				_, err := s.Receive(context.Background())
				cause <- errors.Join(context.Cause(ctx), err)
				return nil
			})
			_, conn := connect(t, server)
			leave(conn)
			select {
			case err := <-cause:
				if !strings.HasPrefix(err.Error(), "the client has gone: ") {
					t.Errorf("got %v", err)
				}
			case <-time.After(limit):
				t.Fatal("the context goes on")
			}
		})
	}
}

func TestHandshake(t *testing.T) {
	allow := SocketOptions{AllowOrigin: func(_ *http.Request, origin string) bool { return origin == "https://friend.example" }}
	for name, test := range map[string]struct {
		opts   SocketOptions
		header map[string]string
		status int
		want   string
	}{
		"plain":              {SocketOptions{}, nil, 101, ""},
		"own host":           {SocketOptions{}, map[string]string{"Origin": "http://HOST"}, 101, ""},
		"another host":       {SocketOptions{}, map[string]string{"Origin": "https://evil.example"}, 403, `pages of "https://evil.example" may not connect`},
		"own host as suffix": {SocketOptions{}, map[string]string{"Origin": "http://evil.HOST"}, 403, "may not connect"},
		"null":               {SocketOptions{}, map[string]string{"Origin": "null"}, 403, "may not connect"},
		"allowed":            {allow, map[string]string{"Origin": "https://friend.example"}, 101, ""},
		"own host, allowed":  {allow, map[string]string{"Origin": "http://HOST"}, 101, ""},
		"not allowed":        {allow, map[string]string{"Origin": "https://friend.example.evil"}, 403, "may not connect"},
		"subprotocol":        {SocketOptions{}, map[string]string{"Sec-WebSocket-Protocol": "x, " + Subprotocol}, 101, ""},
		"other subprotocol":  {SocketOptions{}, map[string]string{"Sec-WebSocket-Protocol": "x"}, 400, "must include dyngate.json.v1"},
		"credentials":        {SocketOptions{}, map[string]string{"Sec-WebSocket-Protocol": Subprotocol + ", " + authorizationProtocol + "YQ"}, 101, ""},
		"broken credentials": {SocketOptions{}, map[string]string{"Sec-WebSocket-Protocol": Subprotocol + ", " + authorizationProtocol + "!"}, 400, "base64url"},
		"version":            {SocketOptions{}, map[string]string{"Sec-WebSocket-Version": "8"}, 400, "unsupported WebSocket protocol version"},
		"no key":             {SocketOptions{}, map[string]string{"Sec-WebSocket-Key": ""}, 400, "WebSocket protocol violation: "},
		"compression":        {SocketOptions{}, map[string]string{"Sec-WebSocket-Extensions": "permessage-deflate"}, 101, ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, NewSockets(test.opts), func(context.Context, *Socket) *End { return nil })
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			for key, value := range map[string]string{"Connection": "keep-alive, Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
				request.Header.Set(key, value)
			}
			for key, value := range test.header {
				request.Header.Set(key, strings.ReplaceAll(value, "HOST", strings.TrimPrefix(server.URL, "http://")))
			}
			response, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != test.status || response.Header.Get("Sec-WebSocket-Extensions") != "" {
				t.Errorf("got %s, %v", response.Status, response.Header)
			}
			if test.status != 101 {
				body, _ := io.ReadAll(response.Body)
				if !strings.Contains(string(body), test.want) {
					t.Errorf("got %s", body)
				}
			} else if test.header["Sec-WebSocket-Protocol"] != "" && response.Header.Get("Sec-WebSocket-Protocol") != Subprotocol {
				t.Errorf("got %v", response.Header)
			}
		})
	}
	t.Run("no hijacker", func(t *testing.T) {
		w := httptest.NewRecorder()
		err := NewSockets(SocketOptions{}).Serve(w, httptest.NewRequest(http.MethodGet, "/", nil), nil)
		var refused *HandshakeError
		if !errors.As(err, &refused) || refused.HTTPStatus != http.StatusNotImplemented {
			t.Errorf("got %v", err)
		}
	})
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestIsUpgrade(t *testing.T) {
	for _, test := range []struct {
		method, connection, upgrade string
		want                        bool
	}{
		{"GET", "Upgrade", "websocket", true},
		{"GET", "keep-alive, upgrade", "WebSocket", true},
		{"POST", "Upgrade", "websocket", false},
		{"GET", "", "websocket", false},
		{"GET", "upgrade", "h2c", false},
	} {
		r := httptest.NewRequest(test.method, "/", nil)
		r.Header.Set("Connection", test.connection)
		r.Header.Set("Upgrade", test.upgrade)
		if IsUpgrade(r) != test.want {
			t.Errorf("%v", test)
		}
	}
}

func TestAuthorization(t *testing.T) {
	encoded := base64.RawURLEncoding.EncodeToString([]byte("Bearer a+b/c=="))
	for protocols, want := range map[string]string{
		"": "", Subprotocol: "",
		Subprotocol + ", " + authorizationProtocol + encoded:                           "Bearer a+b/c==",
		authorizationProtocol + "!":                                                    "",
		authorizationProtocol + base64.RawURLEncoding.EncodeToString([]byte("a\r\nb")): "",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Sec-WebSocket-Protocol", protocols)
		if got, ok := Authorization(r); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %t", protocols, got, ok)
		}
	}
}

// TestStop closes sockets when the server ends their requests, whether their functions
// notice that or not.
func TestStop(t *testing.T) {
	release := make(chan struct{})
	functions := map[string]func(context.Context, *Socket) *End{
		"echo": echo,
		"busy": func(context.Context, *Socket) *End { <-release; return nil },
	}
	for i := range 100 { // the end may come while Send returns
		functions[fmt.Sprint("echo", i)] = echo
	}
	for name, f := range functions {
		base, stop := context.WithCancel(t.Context())
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = NewSockets(SocketOptions{}).Serve(w, r, f)
		}))
		server.Config.BaseContext = func(net.Listener) context.Context { return base }
		server.Start()
		ctx, conn := connect(t, server)
		if name != "busy" {
			if err := conn.Write(ctx, websocket.MessageText, []byte("1")); err != nil {
				t.Fatal(err)
			}
			if _, doc, err := conn.Read(ctx); err != nil || string(doc) != "1" {
				t.Fatal(string(doc), err)
			}
		}
		stop()
		if answer, end := exchange(ctx, conn); end.Code != websocket.StatusGoingAway || len(answer) > 0 {
			t.Errorf("%s: got %q, %v", name, answer, end)
		}
		if name == "busy" {
			close(release)
		}
		server.Close()
	}
}

// TestSlowReader gives up a client that does not read.
func TestSlowReader(t *testing.T) {
	failed := make(chan error, 1)
	server := serve(t, NewSockets(SocketOptions{WriteTimeout: 50 * time.Millisecond}), func(ctx context.Context, s *Socket) *End {
		doc := make([]byte, 1<<20)
		for {
			if err := s.Send(ctx, doc); err != nil {
				failed <- err
				return nil
			}
		}
	})
	connect(t, server)
	select {
	case err := <-failed:
		t.Log(err)
	case <-time.After(limit):
		t.Fatal("the server still sends")
	}
}

// rawSocket connects without a library that answers pings.
func rawSocket(t *testing.T, server *httptest.Server) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(limit))
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	in := bufio.NewReader(conn)
	response, err := http.ReadResponse(in, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(response, err)
	}
	response.Body.Close()
	return conn, in
}

// TestPing ends the stream of a client that does not answer.
func TestPing(t *testing.T) {
	cause := make(chan error, 1)
	server := serve(t, NewSockets(SocketOptions{Ping: 20 * time.Millisecond}), func(ctx context.Context, _ *Socket) *End {
		<-ctx.Done()
		cause <- context.Cause(ctx)
		return nil
	})
	_, in := rawSocket(t, server)
	if first, err := in.ReadByte(); err != nil || first != 0x89 {
		t.Errorf("got %#x, %v, want a ping", first, err)
	}
	_, _ = io.Copy(io.Discard, in)
	if err := <-cause; err.Error() != "the client did not answer a ping" {
		t.Errorf("got %v", err)
	}
}

// TestPingWhileBusy expects no answer from a client whose documents nobody takes: the
// answer may be behind them.
func TestPingWhileBusy(t *testing.T) {
	const interval = 20 * time.Millisecond
	took := make(chan string, 2)
	server := serve(t, NewSockets(SocketOptions{Ping: interval}), func(ctx context.Context, s *Socket) *End {
		for ctx.Err() == nil && s.busy.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		select { // nothing happens for many intervals
		case <-ctx.Done():
		case <-time.After(10 * interval):
		}
		doc, err := s.Receive(ctx)
		took <- fmt.Sprint(string(doc), err)
		return nil
	})
	conn, in := rawSocket(t, server)
	_, _ = conn.Write([]byte{0x81, 0x81, 0, 0, 0, 0, '1'})
	_, _ = io.Copy(io.Discard, in)
	if got := <-took; got != "1<nil>" {
		t.Errorf("got %s", got)
	}
}
