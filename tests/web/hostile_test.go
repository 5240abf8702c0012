package web

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// dial connects to a port and sends text.
func dial(t testing.TB, url, text string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(rig.Context(t), "tcp", strings.TrimPrefix(url, "http://"))
	rig.Must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	rig.Must(t, conn.SetDeadline(time.Now().Add(rig.Patience)))
	_, err = io.WriteString(conn, text)
	rig.Must(t, err)
	return conn
}

// rest returns what a server sends before it closes a connection.
func rest(t testing.TB, conn net.Conn) string {
	t.Helper()
	text, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection stays open after %q", text)
	}
	return string(text)
}

// alive fails the test unless a server answers on a new connection.
func alive(t testing.TB, url string) {
	t.Helper()
	wantAnswer(t, ask(t, client(t, 1, nil), http.MethodPost, url+echo, `{"text": "alive"}`), 200, "alive")
}

// TestSlowloris opens connections that send a little and then nothing.
func TestSlowloris(t *testing.T) {
	t.Parallel()
	s := lab.Start(t, func(c *dynserver.Config) {
		c.HTTP.HeaderTimeout, c.HTTP.BodyTimeout = 3*time.Second, 300*time.Millisecond
	})
	var conns []net.Conn
	for i := range 200 {
		conns = append(conns, dial(t, s.URL, []string{
			"", "GET", "GET / HTTP/1.1\r\nHost: x\r\nA", http2.ClientPreface[:10],
			"POST " + echo + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
			"POST " + echo + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnect-Protocol-Version: 1\r\nContent-Length: 100\r\n\r\n{",
			"POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
			"POST " + lab.Up + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\x00",
		}[i%8]))
	}
	alive(t, s.URL)
	for i, conn := range conns {
		if i%8 == 7 { // a stream, which may pause
			_ = conn.Close()
			continue
		}
		switch got := rest(t, conn); i % 8 {
		case 4:
			rig.WantText(t, got, " 408 Request Timeout", `"code":4`, "the request is incomplete: nothing has arrived for 300ms")
		case 5:
			rig.WantText(t, got, " 504 Gateway Timeout", `"code":"deadline_exceeded"`, "the request is incomplete")
		case 6:
			rig.WantText(t, got, " 404 Not Found")
		}
	}
}

// TestPausingStreams pauses in streams of requests for longer than the limit on a
// body, and in streams of answers.
func TestPausingStreams(t *testing.T) {
	t.Parallel()
	const limit = 50 * time.Millisecond
	s := lab.Start(t, func(c *dynserver.Config) {
		c.HTTP.HeaderTimeout, c.HTTP.BodyTimeout, c.HTTP.StallTimeout, c.HTTP.IdleTimeout = limit, limit, limit, limit
	})
	conn := rig.Dial(t, strings.TrimPrefix(s.URL, "http://"))
	chat := rig.Open(rig.Context(t), t, conn, lab.Chat).Send(nil)
	chat.MustRecv()
	held := hold(t, client(t, 1, nil), s.URL)
	in, out := io.Pipe()
	answered := make(chan string)
	go func() { // ends with the answer
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+lab.Up, in)
		if err != nil {
			answered <- err.Error()
			return
		}
		req.Header.Set("Content-Type", "application/x-ndjson")
		res, err := client(t, 1, nil).Do(req)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		answered <- string(text)
	}()
	_, err := io.WriteString(out, `{"text": "a"}`+"\n")
	rig.Must(t, err)
	pause := time.NewTimer(10 * limit)
	<-pause.C
	_, err = io.WriteString(out, `{"text": "b"}`+"\n")
	rig.Must(t, err)
	rig.Must(t, out.Close())
	if text := <-answered; text != `{"number":2}` {
		t.Errorf("the stream of requests: %s", text)
	}
	chat.Send(nil).MustRecv()
	if held.Buffered() > 0 {
		text, _ := io.ReadAll(held)
		t.Errorf("the stream of answers ended: %s", text)
	}
}

// TestUnreadAnswers makes calls whose answers are not read, until no more are
// accepted. They are ended.
func TestUnreadAnswers(t *testing.T) {
	t.Parallel()
	for version := range 2 {
		s := lab.Start(t, func(c *dynserver.Config) {
			c.HTTP.StallTimeout, c.HTTP.MaxRequests = 300*time.Millisecond, 4
		})
		call := `{"number": 1000000, "text": "` + strings.Repeat("x", 100<<10) + `"}`
		for range 4 {
			req, err := http.NewRequestWithContext(rig.Context(t), http.MethodPost, s.URL+lab.Down, strings.NewReader(call))
			rig.Must(t, err)
			req.Header.Set("Content-Type", "application/json")
			res, err := client(t, version+1, nil).Do(req)
			rig.Must(t, err)
			defer res.Body.Close()
			if res.StatusCode != http.StatusOK {
				t.Fatal(res.Status)
			}
		}
		rig.Eventually(t, "the calls to end", func() bool {
			got := ask(t, client(t, 2, nil), http.MethodPost, s.URL+echo, "{}")
			if got.StatusCode != http.StatusOK {
				wantAnswer(t, got, 503, `"code":14`, "the server is busy")
			}
			return got.StatusCode == http.StatusOK
		})
	}
}

// TestMaxConnections opens more connections than there may be.
func TestMaxConnections(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--http", "127.0.0.1:0", "--max-http-connections", "10")
	first := dial(t, p.URL(), "")
	for range 100 {
		dial(t, p.URL(), "GET / HTTP/1.1\r\nHost: x\r\n")
	}
	rest(t, first)
	wantAnswer(t, ask(t, client(t, 1, nil), http.MethodPost, p.URL()+greet, ada), 200)
}

// TestRapidReset opens streams and resets them at once.
func TestRapidReset(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	conn := dial(t, s.URL, http2.ClientPreface)
	framer := http2.NewFramer(conn, conn)
	rig.Must(t, framer.WriteSettings())
	go func() { // ends with the connection
		_, _ = io.Copy(io.Discard, conn)
	}()
	var block bytes.Buffer
	fields := hpack.NewEncoder(&block)
	var err error
	for id := uint32(1); id < 40_000 && err == nil; id += 2 {
		block.Reset()
		for _, f := range [][2]string{{":method", "POST"}, {":scheme", "http"}, {":authority", "x"}, {":path", lab.Hold}, {"content-type", "application/json"}} {
			rig.Must(t, fields.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}))
		}
		err = errors.Join(
			framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true}),
			framer.WriteRSTStream(id, http2.ErrCodeCancel))
	}
	alive(t, s.URL)
	rig.Eventually(t, "the calls to end", func() bool { return s.Shutdown(t.Context()) == nil })
}
