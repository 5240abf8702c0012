package httpport

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is after what time a test fails that waits.
const patience = 20 * time.Second // less than the default BodyTimeout

// port is a server under test.
type port struct {
	*Server
	addr   string
	served chan error
}

// start serves a handler until the test ends.
func start(t *testing.T, opts Options, handler http.HandlerFunc) *port {
	t.Helper()
	opts.Handler = handler
	s, err := New(opts)
	must(t, err)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &port{Server: s, addr: lis.Addr().String(), served: make(chan error, 1)}
	go func() { p.served <- s.Serve(lis) }() // ends with Stop
	t.Cleanup(func() {
		s.Stop()
		s.GracefulStop()
		must(t, <-p.served)
	})
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// clients returns a client of HTTP/1.1 and one of HTTP/2 without TLS.
func clients(t *testing.T) map[string]*http.Client {
	t.Helper()
	return map[string]*http.Client{"h1": client(t, (*http.Protocols).SetHTTP1), "h2c": client(t, (*http.Protocols).SetUnencryptedHTTP2)}
}

func client(t *testing.T, speaks func(*http.Protocols, bool)) *http.Client {
	t.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols)}
	speaks(transport.Protocols, true)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

func (p *port) url() string { return "http://" + p.addr + "/" }

// get returns the body of an answer.
func get(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	res, err := c.Get(url)
	must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	return string(text)
}

// dial connects and sends text.
func (p *port) dial(t *testing.T, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", p.addr)
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	must(t, c.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(c, text)
	must(t, err)
	return c
}

// ends fails the test unless the server closes the connection. It returns what the
// server sent.
func ends(t *testing.T, c net.Conn) string {
	t.Helper()
	text, err := io.ReadAll(c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the connection stays open")
	}
	return string(text)
}

// eventually waits until ok returns true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain for ", what)
		}
	}
}

func hello(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello over ", r.Proto) }

func TestProtocols(t *testing.T) {
	p := start(t, Options{}, hello)
	for name, c := range clients(t) {
		if got, want := get(t, c, p.url()), map[string]string{"h1": "hello over HTTP/1.1", "h2c": "hello over HTTP/2.0"}[name]; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestTLS(t *testing.T) {
	given := httptest.NewUnstartedServer(nil)
	given.StartTLS() // for its certificate
	t.Cleanup(given.Close)
	p := start(t, Options{TLS: &tls.Config{Certificates: given.TLS.Certificates}}, hello)
	for want, speaks := range map[string]func(*http.Protocols, bool){
		"hello over HTTP/1.1": (*http.Protocols).SetHTTP1, "hello over HTTP/2.0": (*http.Protocols).SetHTTP2,
	} {
		c := client(t, speaks)
		c.Transport.(*http.Transport).TLSClientConfig = given.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		if got := get(t, c, "https://"+p.addr); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestSlowHeader never ends the header of a request.
func TestSlowHeader(t *testing.T) {
	p := start(t, Options{HeaderTimeout: 50 * time.Millisecond}, hello)
	ends(t, p.dial(t, "GET / HTTP/1.1\r\nHost: x\r\nA:"))
	ends(t, p.dial(t, "PRI * HTTP/2.0\r\n"))
	ends(t, p.dial(t, ""))
}

func TestLargeHeader(t *testing.T) {
	p := start(t, Options{MaxHeaderBytes: 20 << 10}, hello)
	req, err := http.NewRequest(http.MethodGet, p.url(), nil)
	must(t, err)
	for i := range 20 {
		req.Header.Set(fmt.Sprint("A", i), strings.Repeat("a", 1400))
	}
	res, err := clients(t)["h1"].Do(req)
	must(t, err)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Error(res.Status)
	}
	// The client knows the limit, unless it sends before it has read SETTINGS.
	if res, err = clients(t)["h2c"].Do(req); err == nil {
		_ = res.Body.Close()
		if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Error(res.Status)
		}
	}
}

// readAll answers with what becomes of the request's body.
func readAll(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	fmt.Fprintf(w, "%d bytes, %v", len(body), status.Code(err))
}

// TestSlowBody sends half a body, with one pause, and then a whole one with many.
func TestSlowBody(t *testing.T) {
	p := start(t, Options{BodyTimeout: 50 * time.Millisecond}, readAll)
	for name, c := range clients(t) {
		in, out := io.Pipe()
		t.Cleanup(func() { _ = out.Close() })
		go func() { _, _ = io.WriteString(out, "hello") }() // ends when it is read, or with the test
		res, err := c.Post(p.url(), "text/plain", in)
		must(t, err)
		text, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if string(text) != "5 bytes, "+codes.DeadlineExceeded.String() {
			t.Errorf("%s: %q", name, text)
		}
	}
}

// TestBodyPauses sends a body whose pauses are longer than the limit, where they may
// be.
func TestBodyPauses(t *testing.T) {
	asked := make(chan struct{}, 100)
	p := start(t, Options{BodyTimeout: 20 * time.Millisecond, Pauses: func(r *http.Request) bool {
		asked <- struct{}{}
		return r.URL.Path == "/"
	}}, readAll)
	for name, c := range clients(t) {
		in, out := io.Pipe()
		go func() { // ends when it has been asked
			<-asked
			_, _ = io.WriteString(out, "hello")
			_ = out.Close()
		}()
		res, err := c.Post(p.url(), "text/plain", in)
		must(t, err)
		text, err := io.ReadAll(res.Body)
		must(t, err)
		_ = res.Body.Close()
		if string(text) != "5 bytes, OK" {
			t.Errorf("%s: %q", name, text)
		}
	}
}

// TestUnreadBody answers without having read a body that never ends.
func TestUnreadBody(t *testing.T) {
	p := start(t, Options{BodyTimeout: 50 * time.Millisecond, StallTimeout: 50 * time.Millisecond}, func(http.ResponseWriter, *http.Request) {})
	ends(t, p.dial(t, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhello"))
	ends(t, p.dial(t, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"))
}

// TestStall asks for an endless answer and does not read it.
func TestStall(t *testing.T) {
	failed := make(chan error, 10)
	p := start(t, Options{StallTimeout: 50 * time.Millisecond}, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				failed <- err
				return
			}
		}
	})
	p.dial(t, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-failed
	res, err := clients(t)["h2c"].Get(p.url()) // the transport reads no more than the window
	must(t, err)
	defer res.Body.Close()
	<-failed
}

// TestUnreadEnd asks for short answers over HTTP/2 and gives no room for them. Their
// handlers return at once.
func TestUnreadEnd(t *testing.T) {
	returned := make(chan struct{}, 10)
	p := start(t, Options{StallTimeout: 200 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
		hello(w, r)
		returned <- struct{}{}
	})
	c := p.dial(t, http2.ClientPreface)
	framer := http2.NewFramer(c, c)
	must(t, framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
	var block bytes.Buffer
	fields := hpack.NewEncoder(&block)
	for id := range uint32(3) {
		block.Reset()
		for _, f := range []hpack.HeaderField{{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "http"}, {Name: ":path", Value: "/"}, {Name: ":authority", Value: "x"}} {
			must(t, fields.WriteField(f))
		}
		must(t, framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*id + 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true}))
		<-returned
	}
	for resets := 0; resets < 3; {
		frame, err := framer.ReadFrame()
		must(t, err)
		if frame.Header().Type == http2.FrameRSTStream {
			resets++
		}
	}
}

// TestSlowReader reads a long answer slowly, but reads it.
func TestSlowReader(t *testing.T) {
	const size, pieces = 40 << 20, 40
	p := start(t, Options{StallTimeout: 2 * time.Second}, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, size))
	})
	for name, c := range clients(t) {
		t.Run(name, func(t *testing.T) {
			res, err := c.Get(p.url())
			must(t, err)
			defer res.Body.Close()
			pace := time.NewTicker(80 * time.Millisecond)
			defer pace.Stop()
			n, piece := 0, make([]byte, size/pieces)
			for err == nil {
				<-pace.C
				var m int
				m, err = io.ReadFull(res.Body, piece)
				n += m
			}
			if n != size {
				t.Errorf("%d bytes, then %v", n, err)
			}
		})
	}
}

// TestDesync sends a body that looks like a request to a handler that does not read it.
func TestDesync(t *testing.T) {
	for _, duplex := range []bool{false, true} {
		p := start(t, Options{BodyTimeout: 50 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
			if duplex {
				must(t, http.NewResponseController(w).EnableFullDuplex())
			}
			fmt.Fprint(w, r.URL.Path)
			must(t, http.NewResponseController(w).Flush())
		})
		c := p.dial(t, "POST /first HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
		begin := make([]byte, 1)
		_, err := io.ReadFull(c, begin)
		must(t, err)
		_, _ = io.WriteString(c, "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
		if got := ends(t, c); !strings.Contains(got, "/first") || strings.Contains(got, "/smuggled") {
			t.Error(got)
		}
	}
}

// TestEarlyAnswer gets an answer while the client pauses in its body.
func TestEarlyAnswer(t *testing.T) {
	p := start(t, Options{}, hello)
	for name, c := range clients(t) {
		in, out := io.Pipe()
		res, err := c.Post(p.url(), "text/plain", in)
		must(t, err)
		text, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if !strings.HasPrefix(string(text), "hello") {
			t.Errorf("%s: %q", name, text)
		}
		_ = out.Close()
	}
}

func TestMaxRequests(t *testing.T) {
	began := make(chan struct{})
	p := start(t, Options{MaxRequests: 1, Speaks: func(r *http.Request) bool {
		return r.Header.Get("Connect-Protocol-Version") != "" || r.Header.Get("Te") != ""
	}},
		func(_ http.ResponseWriter, r *http.Request) {
			close(began)
			<-r.Context().Done()
		})
	c := clients(t)["h2c"]
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url(), nil)
	must(t, err)
	ended := make(chan struct{})
	go func() { // ends with ctx
		defer close(ended)
		if res, err := c.Do(first); err == nil {
			_ = res.Body.Close()
		}
	}()
	<-began
	for form, test := range map[string]struct {
		header http.Header
		code   int
		body   string
	}{
		"rest":    {nil, 503, `{"code":14,"message":"the server is busy: it serves 1 requests"}`},
		"connect": {http.Header{"Content-Type": {"application/json"}, "Connect-Protocol-Version": {"1"}}, 503, `{"code":"unavailable","message":"the server is busy: it serves 1 requests"}`},
		"grpc":    {http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}}, 200, ""},
	} {
		req, err := http.NewRequest(http.MethodPost, p.url(), strings.NewReader("{}"))
		must(t, err)
		req.Header = test.header
		res, err := c.Do(req)
		must(t, err)
		body, err := io.ReadAll(res.Body)
		must(t, err)
		_ = res.Body.Close()
		if res.StatusCode != test.code || string(body) != test.body || res.Header.Get("Retry-After") != "1" {
			t.Errorf("%s: %s %q %v", form, res.Status, body, res.Header)
		}
		if form == "grpc" && res.Trailer.Get("Grpc-Status") != "14" {
			t.Errorf("grpc: %v", res.Trailer)
		}
	}
	cancel()
	<-ended
}

// answered reads an answer.
func answered(t *testing.T, c net.Conn) {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	must(t, err)
	_ = res.Body.Close()
}

// TestMaxConnections holds connections without requests, which are closed for others,
// and then one with a request, which is not.
func TestMaxConnections(t *testing.T) {
	began, end := make(chan struct{}, 10), make(chan struct{})
	p := start(t, Options{MaxConnections: 2}, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			began <- struct{}{}
			select {
			case <-end:
			case <-r.Context().Done():
			}
		}
	})
	first := p.dial(t, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") // will be idle
	answered(t, first)
	p.dial(t, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
	<-began
	eventually(t, "the first connection to be idle", func() bool {
		p.conns.mu.Lock()
		defer p.conns.mu.Unlock()
		return p.conns.mark.Next() != nil && p.conns.mark.Next().Next() == nil
	})
	third := p.dial(t, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
	ends(t, first)
	<-began
	ends(t, p.dial(t, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	close(end)
	answered(t, third)
}

// BenchmarkServe measures what the port adds to net/http.
func BenchmarkServe(b *testing.B) {
	answer := []byte("hello")
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) })
	s, err := New(Options{Handler: handler})
	must(b, err)
	for name, h := range map[string]http.Handler{"floor": handler, "port": http.HandlerFunc(s.serve)} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			w := discard{make(http.Header)}
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}

// discard is an http.ResponseWriter for answers that nobody reads.
type discard struct{ header http.Header }

func (d discard) Header() http.Header       { return d.header }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}
