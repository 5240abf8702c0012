package client

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// listenRaw calls serve for every connection, until the test ends. serve must return
// when the connection is closed.
func listenRaw(t testing.TB, serve func(net.Conn)) string {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	rig.Must(t, err)
	var mu sync.Mutex
	var conns []net.Conn
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := lis.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			running.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = lis.Close()
		mu.Lock()
		for _, conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return lis.Addr().String()
}

// says sends this text on every connection, and then reads.
func says(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, text)
		_, _ = io.Copy(io.Discard, conn)
	}
}

// noServers speak neither gRPC nor HTTP/2.
var noServers = map[string]func(net.Conn){
	"silent":               says(""),
	"closes":               func(net.Conn) {},
	"closes later":         func(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) },
	"HTTP/1.1":             says("HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<h1>\x1b[31mBad</h1>"),
	"SSH":                  says("SSH-2.0-OpenSSH_9.2\r\n\x00\x00\x03\x8c"),
	"TLS alert":            says("\x15\x03\x01\x00\x02\x02\x46"),
	"random":               says(strings.Repeat("\x1b]0;\x07\xff\x00\x9c", 1000)),
	"large frame":          says("\xff\xff\xff\x04\x00\x00\x00\x00\x00" + strings.Repeat("\x00", 1<<20)),
	"settings, and random": says("\x00\x00\x00\x04\x00\x00\x00\x00\x00" + strings.Repeat("\x1b]0;\x07\xff\x00\x9c", 1000)),
}

func TestNoServer(t *testing.T) {
	t.Parallel()
	for name, serve := range noServers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := listenRaw(t, serve)
			rig.Run(t, "list", addr, "--connect-timeout", "500ms").Want(t, 78, "", "UNAVAILABLE: ", addr)
			callInterop(t, addr, "EmptyCall", "--connect-timeout", "500ms").Want(t, 78, "", "UNAVAILABLE (14): ", "EmptyCall at "+addr)
			rig.Run(t, "__complete", "call", addr, "E").Want(t, 0, ":4\n", "NoFileComp")
			noServerLibrary(t, addr)
		})
	}
	t.Run("silent, deadline", func(t *testing.T) {
		t.Parallel()
		addr := listenRaw(t, says(""))
		rig.Run(t, "call", addr, "EmptyCall", "--deadline", "500ms").Want(t, 68, "", "DEADLINE_EXCEEDED: ", addr)
		callInterop(t, addr, "EmptyCall", "--deadline", "500ms").Want(t, 68, "", "deadline exceeded")
	})
}

// noServerLibrary does the same in this process: Main finds goroutines that stay
// behind.
func noServerLibrary(t *testing.T, addr string) {
	t.Helper()
	c, err := dynclient.Dial(rig.Context(t), addr, dynclient.WithSchemaTimeout(500*time.Millisecond))
	rig.Must(t, err)
	defer c.Close()
	var out map[string]any
	err = c.Invoke(rig.Context(t), "bad.Bad/Do", map[string]any{}, &out)
	if code := status.Code(err); code != codes.Unavailable && code != codes.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
	var reflection *dynclient.ReflectionError
	if !errors.As(err, &reflection) {
		t.Errorf("got a %T: %v", err, err)
	}
}

// serverConn is the server's side of an HTTP/2 connection.
type serverConn struct {
	net.Conn
	*http2.Framer
}

// serveFrames serves HTTP/2. It calls answer, which may write any frames, when the
// headers of a request have come.
func serveFrames(t testing.TB, answer func(c serverConn, stream uint32)) string {
	t.Helper()
	return listenRaw(t, func(conn net.Conn) {
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := io.ReadFull(conn, preface); err != nil {
			return
		}
		c := serverConn{conn, http2.NewFramer(conn, conn)}
		_ = c.WriteSettings()
		for {
			f, err := c.ReadFrame()
			if err != nil {
				return
			}
			switch f := f.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					_ = c.WriteSettingsAck()
				}
			case *http2.PingFrame:
				_ = c.WritePing(true, f.Data)
			case *http2.HeadersFrame:
				answer(c, f.StreamID)
			}
		}
	})
}

// fields writes headers or trailers.
func (c serverConn) fields(stream uint32, end bool, fields ...string) {
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		_ = enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: end})
}

// begins writes the headers of a response.
func (c serverConn) begins(stream uint32, fields ...string) {
	c.fields(stream, false, append([]string{":status", "200", "content-type", "application/grpc"}, fields...)...)
}

// only returns a response of trailers only.
func only(fields ...string) func(serverConn, uint32) {
	return func(c serverConn, stream uint32) {
		c.fields(stream, true, append([]string{":status", "200", "content-type", "application/grpc"}, fields...)...)
	}
}

// after returns a response of this data, and then trailers.
func after(data string, fields ...string) func(serverConn, uint32) {
	return func(c serverConn, stream uint32) {
		c.begins(stream)
		_ = c.WriteData(stream, false, []byte(data))
		c.fields(stream, true, fields...)
	}
}

// TestFrames calls servers that do not end a call correctly, or that send
// control characters.
func TestFrames(t *testing.T) {
	t.Parallel()
	const empty = "\x00\x00\x00\x00\x00" // a message
	for name, test := range map[string]struct {
		answer func(serverConn, uint32)
		status int
		errs   []string
	}{
		"good":                   {after(empty, "grpc-status", "0"), 0, nil},
		"no answer":              {after("", "grpc-status", "0"), 76, []string{"UNIMPLEMENTED (12): "}},
		"two answers":            {after(empty+empty, "grpc-status", "0"), 76, []string{"UNIMPLEMENTED (12): "}},
		"no status":              {after(empty, "x", "y"), 66, []string{"UNKNOWN (2): "}},
		"nothing but headers":    {only(), 66, []string{"UNKNOWN (2): "}},
		"status that is none":    {only("grpc-status", "\u009b31m"), 66, []string{": "}},
		"negative status":        {only("grpc-status", "-1"), 1, []string{": "}},
		"large status":           {only("grpc-status", "4294967296"), 66, []string{": "}},
		"unknown status":         {only("grpc-status", "17"), 1, []string{"17 (17): "}},
		"control in the message": {only("grpc-status", "5", "grpc-message", "%1b[31m%c2%9b31m%0d%07%e2%80%ae"), 69, []string{"NOT_FOUND (5): \ufffd[31m\ufffd31m\ufffd\ufffd\ufffd"}},
		"no UTF-8":               {only("grpc-status", "5", "grpc-message", "%ff%fe%9b31m"), 69, []string{"NOT_FOUND (5): "}},
		"details that are none":  {only("grpc-status", "5", "grpc-message", "no", "grpc-status-details-bin", "!"), 77, []string{"INTERNAL (13): "}},
		"odd details":            {only("grpc-status", "5", "grpc-status-details-bin", "CAUSAm5vGgYKAhtbEgA"), 69, []string{"NOT_FOUND (5): "}},
		"control in metadata":    {only("grpc-status", "5", "x", "\x1b[31m", "y", "\u009b31m"), 77, []string{": "}},
		"high bytes in metadata": {after(empty, "grpc-status", "0", "x", "\u009b31m\xff\u202e"), 0, nil},
		"text": {func(c serverConn, stream uint32) {
			c.fields(stream, true, ":status", "200", "content-type", "text/html\u009b")
		}, 66, []string{": "}},
		"HTTP 404": {func(c serverConn, stream uint32) {
			c.fields(stream, true, ":status", "404", "content-type", "text/html")
		}, 76, []string{"UNIMPLEMENTED (12): ", "404"}},
		"HTTP 502":              {func(c serverConn, stream uint32) { c.fields(stream, true, ":status", "502") }, 78, []string{"UNAVAILABLE (14): ", "502"}},
		"message too long":      {after("\x00\xff\xff\xff\xff", "grpc-status", "0"), 72, []string{"RESOURCE_EXHAUSTED (8): "}},
		"message too short":     {after("\x00\x00\x00\x00\x09abc", "grpc-status", "0"), 77, []string{"INTERNAL (13): "}},
		"not a message":         {after("\x00\x00\x00\x00\x02\xff\xff", "grpc-status", "0"), 77, []string{"INTERNAL (13): ", "cannot decode the response"}},
		"compressed by nothing": {after("\x01\x00\x00\x00\x01a", "grpc-status", "0"), 77, []string{"INTERNAL (13): "}},
		"frame of another kind": {after("\x07\x00\x00\x00\x01a", "grpc-status", "0"), 77, []string{"INTERNAL (13): "}},
		"reset":                 {func(c serverConn, stream uint32) { _ = c.WriteRSTStream(stream, http2.ErrCodeInternal) }, 77, []string{"INTERNAL (13): "}},
		"refused":               {func(c serverConn, stream uint32) { _ = c.WriteRSTStream(stream, http2.ErrCodeRefusedStream) }, 78, []string{"UNAVAILABLE (14): "}},
		"goes away":             {func(c serverConn, _ uint32) { _ = c.WriteGoAway(0, http2.ErrCodeNo, []byte("\x1b[31m")) }, 78, []string{"UNAVAILABLE (14): "}},
		"hangs up in a message": {func(c serverConn, stream uint32) {
			c.begins(stream)
			_ = c.WriteData(stream, false, []byte("\x00\x00\x00\x00\x09abc"))
			_ = c.Close()
		}, 78, []string{"UNAVAILABLE (14): "}},
		"hangs up":     {func(c serverConn, _ uint32) { _ = c.Close() }, 78, []string{"UNAVAILABLE (14): "}},
		"says nothing": {func(serverConn, uint32) {}, 68, []string{"deadline exceeded"}},
		"begins only":  {func(c serverConn, stream uint32) { c.begins(stream) }, 68, []string{"deadline exceeded"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := serveFrames(t, test.answer)
			out, limit := "", "0"
			switch test.status {
			case 0:
				out = "{}\n"
			case 68:
				limit = "2s"
			}
			callInterop(t, addr, "EmptyCall", "--deadline", limit).Want(t, test.status, out, test.errs...)
			verbose := callInterop(t, addr, "EmptyCall", "--deadline", limit, "-v")
			verbose.Want(t, test.status, out, append(test.errs, " ended after ")...)
			if r := rig.Run(t, "call", addr, "EmptyCall", "--deadline", limit); r.Status == 0 || r.Stdout != "" {
				t.Errorf("without files: %v", r)
			}
		})
	}
}
