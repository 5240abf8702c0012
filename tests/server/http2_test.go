package server

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// frame returns a message in the framing of gRPC.
func frame(flag byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{flag}, uint32(len(body))), body...)
}

// compressed returns body in gzip.
func compressed(t testing.TB, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(body)
	rig.Must(t, err)
	rig.Must(t, w.Close())
	return b.Bytes()
}

// h2 is an HTTP/2 client in plain text.
func h2(t testing.TB) *http.Client {
	t.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// TestRawRequests sends requests that no gRPC client sends, by an HTTP/2 client.
func TestRawRequests(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	client := h2(t)
	good := frame(0, rig.Text(1, "x"))
	for name, test := range map[string]struct {
		method string // default POST
		header map[string]string
		body   []byte
		http   int // default 200
		grpc   string
	}{
		"good":                     {"", nil, good, 0, "0"},
		"good, gzip":               {"", map[string]string{"grpc-encoding": "gzip"}, frame(1, compressed(t, rig.Text(1, "x"))), 0, "0"},
		"gzip, but not this":       {"", map[string]string{"grpc-encoding": "gzip"}, good, 0, "0"},
		"identity":                 {"", map[string]string{"grpc-encoding": "identity"}, good, 0, "0"},
		"unknown compression":      {"", map[string]string{"grpc-encoding": "snappy"}, frame(1, rig.Text(1, "x")), 0, "12"},
		"compressed, not said how": {"", nil, frame(1, compressed(t, rig.Text(1, "x"))), 0, "13"},
		"not gzip":                 {"", map[string]string{"grpc-encoding": "gzip"}, frame(1, []byte("not gzip")), 0, "13"},
		"truncated gzip":           {"", map[string]string{"grpc-encoding": "gzip"}, frame(1, compressed(t, rig.Text(1, "x"))[:15]), 0, "13"},
		"gzip bomb":                {"", map[string]string{"grpc-encoding": "gzip"}, frame(1, compressed(t, make([]byte, 8<<20))), 0, "8"},
		"length too large":         {"", nil, []byte{0, 0x7f, 0xff, 0xff, 0xff}, 0, "8"},
		"length 2^32-1":            {"", nil, []byte{0, 0xff, 0xff, 0xff, 0xff}, 0, "8"},
		"truncated message":        {"", nil, good[:len(good)-1], 0, "13"},
		"truncated frame":          {"", nil, good[:3], 0, "13"},
		"unknown flag":             {"", nil, frame(2, rig.Text(1, "x")), 0, "13"},
		"no body":                  {"", nil, nil, 0, "12"},
		"bytes after the message":  {"", nil, append(bytes.Clone(good), 0), 0, "13"},
		"GET":                      {http.MethodGet, nil, nil, http.StatusMethodNotAllowed, ""},
		"text":                     {"", map[string]string{"content-type": "text/plain"}, good, http.StatusUnsupportedMediaType, ""},
		"nearly gRPC":              {"", map[string]string{"content-type": "application/grpcx"}, good, http.StatusUnsupportedMediaType, ""},
		"gRPC-Web":                 {"", map[string]string{"content-type": "application/grpc-web"}, good, http.StatusUnsupportedMediaType, ""},
		"proto":                    {"", map[string]string{"content-type": "application/grpc+proto"}, good, 0, "0"},
		"proto with parameter":     {"", map[string]string{"content-type": "application/grpc+proto;charset=utf-8"}, good, 0, "0"},
		"parameter":                {"", map[string]string{"content-type": "application/grpc;x=y"}, good, 0, "0"},
		"json":                     {"", map[string]string{"content-type": "application/grpc+json"}, good, 0, "12"},
		"timeout in the past":      {"", map[string]string{"grpc-timeout": "1n"}, good, 0, "4"},
		"long timeout":             {"", map[string]string{"grpc-timeout": "99999999H"}, good, 0, "0"},
		"no timeout":               {"", map[string]string{"grpc-timeout": "soon"}, good, http.StatusBadRequest, ""},
		"not base64":               {"", map[string]string{"x-bin": "\"!\""}, good, http.StatusBadRequest, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			method := test.method
			if method == "" {
				method = http.MethodPost
			}
			req, err := http.NewRequestWithContext(rig.Context(t), method, "http://"+s.Addr+lab.Echo, bytes.NewReader(test.body))
			rig.Must(t, err)
			req.Header.Set("content-type", "application/grpc")
			req.Header.Set("te", "trailers")
			for key, value := range test.header {
				req.Header.Set(key, value)
			}
			got, grpcStatus := roundTrip(t, client, req)
			if want := max(test.http, http.StatusOK); got != want || (test.grpc != "" && grpcStatus != test.grpc) {
				t.Errorf("got HTTP status %d, grpc-status %q; want %d, %q", got, grpcStatus, want, test.grpc)
			}
			lab.Alive(t, s)
		})
	}
}

// TestContentTypeMessage checks that a refused format is told what the port speaks.
func TestContentTypeMessage(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	_, err := rig.Invoke(rig.Context(t), s.Conn, lab.Echo, rig.Text(1, "x"), grpc.CallContentSubtype("json"))
	rig.WantCode(t, err, codes.Unimplemented)
	rig.WantText(t, status.Convert(err).Message(), `content-type "application/grpc+json" is not supported: `+
		"this port speaks gRPC (HTTP/2) with protobuf messages (application/grpc, application/grpc+proto)")
}

// roundTrip returns the status of HTTP and the one of gRPC.
func roundTrip(t testing.TB, client *http.Client, req *http.Request) (code int, grpcStatus string) {
	t.Helper()
	res, err := client.Do(req)
	rig.Must(t, err)
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	if grpcStatus = res.Trailer.Get("grpc-status"); grpcStatus == "" {
		grpcStatus = res.Header.Get("grpc-status")
	}
	return res.StatusCode, grpcStatus
}

// rawConn is an HTTP/2 connection that can write any frame.
type rawConn struct {
	net.Conn
	*http2.Framer
}

func dialRaw(t testing.TB, addr string) rawConn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(rig.Context(t), "tcp", addr)
	rig.Must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	rig.Must(t, conn.SetDeadline(time.Now().Add(rig.Patience)))
	return rawConn{conn, http2.NewFramer(conn, conn)}
}

// begin writes the preface of HTTP/2.
func (c rawConn) begin(t testing.TB) rawConn {
	t.Helper()
	_, err := io.WriteString(c.Conn, http2.ClientPreface)
	rig.Must(t, err)
	rig.Must(t, c.WriteSettings())
	return c
}

// headers opens a stream. It splits large headers into several frames.
func (c rawConn) headers(t testing.TB, id uint32, fields ...string) {
	t.Helper()
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	all := append([]string{":method", "POST", ":scheme", "http", ":path", lab.Echo, ":authority", "x", "te", "trailers", "content-type", "application/grpc"}, fields...)
	for i := 0; i < len(all); i += 2 {
		rig.Must(t, enc.WriteField(hpack.HeaderField{Name: all[i], Value: all[i+1]}))
	}
	const largest = 16 << 10
	first := block.Next(largest)
	rig.Must(t, c.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: first, EndHeaders: block.Len() == 0}))
	for block.Len() > 0 {
		part := block.Next(largest)
		if err := c.WriteContinuation(id, block.Len() == 0, part); err != nil {
			return // the server has ended the connection
		}
	}
}

// drain reads until the connection ends.
func (c rawConn) drain() { _, _ = io.Copy(io.Discard, c.Conn) }

// TestRawFrames breaks the rules of HTTP/2. Other connections must still work.
func TestRawFrames(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	for name, hurt := range map[string]func(*testing.T, rawConn){
		"not HTTP/2": func(t *testing.T, c rawConn) {
			_, err := io.WriteString(c.Conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			rig.Must(t, err)
			c.drain()
		},
		"nothing": func(_ *testing.T, c rawConn) { _ = c.Close() },
		"oversized headers": func(t *testing.T, c rawConn) {
			c.begin(t).headers(t, 1, "large", strings.Repeat("~", 1<<20))
			c.awaitEnd(t)
		},
		"many headers": func(t *testing.T, c rawConn) {
			var fields []string
			for range 50_000 {
				fields = append(fields, "k", "v")
			}
			c.begin(t).headers(t, 1, fields...)
			c.awaitEnd(t)
		},
		"rapid reset": func(t *testing.T, c rawConn) {
			c.begin(t)
			for id := uint32(1); id < 4000; id += 2 {
				c.headers(t, id)
				if c.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
					break
				}
			}
			_ = c.Close()
		},
		"pings": func(t *testing.T, c rawConn) {
			c.begin(t)
			for range 10_000 {
				if c.WritePing(false, [8]byte{}) != nil {
					break
				}
			}
			c.drain()
		},
		"data without stream": func(t *testing.T, c rawConn) {
			rig.Must(t, c.begin(t).WriteData(1, true, frame(0, nil)))
			_ = c.Close()
		},
		"leaves in the middle": func(t *testing.T, c rawConn) {
			c.begin(t).headers(t, 1)
			rig.Must(t, c.WriteData(1, false, []byte{0, 0, 0, 1}))
			_ = c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hurt(t, dialRaw(t, s.Addr))
			lab.Alive(t, s)
		})
	}
}

// awaitEnd reads until stream 1 or the connection ends.
func (c rawConn) awaitEnd(t testing.TB) {
	t.Helper()
	for {
		f, err := c.ReadFrame()
		if err != nil {
			return // the connection
		}
		switch f := f.(type) {
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return
		case *http2.HeadersFrame:
			if f.StreamEnded() {
				return
			}
		}
	}
}

// TestPathsWithoutSlash sends paths that HTTP clients refuse.
func TestPathsWithoutSlash(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	for _, path := range []string{"x", "lab.Lab/Echo", "lab.Lab", "*", "☺"} {
		_, err := rig.Invoke(rig.Context(t), s.Conn, path, nil)
		rig.WantCode(t, err, codes.Unimplemented)
		lab.Alive(t, s)
	}
}

// TestHTTP1 sends requests of HTTP/1.1 and other protocols to the port. The answer says
// what the port speaks, and no frames of HTTP/2 come before it.
func TestHTTP1(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	for name, method := range map[string]string{"get": http.MethodGet, "post, like PRI": http.MethodPost, "put": http.MethodPut} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(rig.Context(t), method, "http://"+s.Addr+lab.Echo, strings.NewReader(strings.Repeat("x", 300_000)))
			rig.Must(t, err)
			transport := new(http.Transport)
			defer transport.CloseIdleConnections()
			res, err := transport.RoundTrip(req)
			rig.Must(t, err)
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			rig.Must(t, err)
			if res.StatusCode != http.StatusBadRequest || res.Proto != "HTTP/1.1" || !res.Close {
				t.Errorf("got %s %s, close %t", res.Proto, res.Status, res.Close)
			}
			rig.WantText(t, string(body), "this port speaks gRPC (HTTP/2)")
		})
	}
	for name, test := range map[string]struct {
		pieces []string
		http1  bool
	}{
		"piecemeal":      {[]string{"P", "O", "ST / HTTP/1.1\r\n\r\n"}, true},
		"short":          {[]string{"GET / HTTP/1.0\r\n\r\n"}, true},
		"nearly HTTP/2":  {[]string{"PRI * HTTP/1.1\r\n\r\n"}, true},
		"SSH":            {[]string{"SSH-2.0-x\r\n" + strings.Repeat("x", 30)}, false},
		"TLS":            {[]string{"\x16\x03\x01" + strings.Repeat("\x00", 30)}, false},
		"broken preface": {[]string{http2.ClientPreface[:20], "oops" + strings.Repeat("x", 30)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dialRaw(t, s.Addr)
			for _, piece := range test.pieces {
				_, err := io.WriteString(c.Conn, piece)
				rig.Must(t, err)
			}
			if tcp, ok := c.Conn.(*net.TCPConn); ok {
				rig.Must(t, tcp.CloseWrite())
			}
			got, _ := io.ReadAll(c.Conn)
			if http1 := strings.HasPrefix(string(got), "HTTP/1.1 400 "); http1 != test.http1 {
				t.Errorf("answered %q", got)
			}
			lab.Alive(t, s)
		})
	}
	t.Run("preface in pieces", func(t *testing.T) {
		t.Parallel()
		c := dialRaw(t, s.Addr)
		for _, b := range []byte(http2.ClientPreface) {
			_, err := c.Write([]byte{b})
			rig.Must(t, err)
		}
		rig.Must(t, c.WriteSettings())
		frame, err := c.ReadFrame()
		rig.Must(t, err)
		if frame.Header().Type != http2.FrameSettings {
			t.Errorf("got %s", frame.Header())
		}
	})
}
