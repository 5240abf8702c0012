package webfront

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
)

// TestLimits sends messages that are larger than the limit, as they are, and small
// ones that become so when they are decompressed.
func TestLimits(t *testing.T) {
	server := start(t, New(newCurrent(t, nil), Options{MaxRecvBytes: 1000, MaxSendBytes: 1100}))
	for size, want := range map[int]connect.Code{
		900: 0, 2000: connect.CodeResourceExhausted, 300_000: connect.CodeResourceExhausted,
	} {
		eachCall(t, func(t *testing.T, w way, method string) {
			if w.compression == "br" || w.compression == "zstd" || w.codec == "json" {
				t.Skip("TestBombs tests all compressions")
			}
			got := shapes[method](t.Context(), w.client(t, server.URL, method), nil, []string{strings.Repeat("a", size)})
			if got.err != nil && connect.CodeOf(got.err) != want || got.err == nil && want != 0 {
				t.Errorf("%d bytes: error %v", size, got.err)
			}
		})
	}
	for _, protocol := range []string{"connect", "grpc", "grpcweb"} {
		w := way{protocol: protocol, codec: "proto", version: 2}
		got := callClient(t.Context(), w.client(t, server.URL, "Client"), nil, []string{incompressible(800), incompressible(800), incompressible(800)})
		if connect.CodeOf(got.err) != connect.CodeResourceExhausted {
			t.Errorf("a large response, %v: error %v", w, got.err)
		}
	}
}

// incompressible returns text that does not compress well.
func incompressible(n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(rand.Text())
	}
	return b.String()[:n]
}

// counter is a source of zeros that counts them.
type counter struct{ n int64 }

func (c *counter) Read(p []byte) (int, error) {
	c.n += int64(len(p))
	clear(p)
	return len(p), nil
}

func (*counter) Reset(io.Reader) error { return nil }

// TestBombs checks that no more is decompressed than the limit allows.
func TestBombs(t *testing.T) {
	zeros := new(counter)
	l := newLimited(func() decompressor { return zeros }, 1000)
	_, err := io.Copy(io.Discard, l)
	if connect.CodeOf(err) != connect.CodeResourceExhausted || zeros.n > 64<<10 {
		t.Errorf("%d bytes, error %v", zeros.n, err)
	}
	server := start(t, New(newCurrent(t, nil), Options{MaxRecvBytes: 100_000}))
	for name, pack := range map[string]func(w io.Writer) io.WriteCloser{
		"gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"br":   func(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, 1) },
		"zstd": func(w io.Writer) io.WriteCloser {
			e := newZstdWriter()
			e.Reset(w)
			return e
		},
	} {
		var bomb bytes.Buffer
		w := pack(&bomb)
		if _, err := io.CopyN(w, new(counter), 8<<20); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		res, body := request(t, clientOf(t, 1), "POST", server.URL+"/web.Svc/Unary", bomb.String(),
			"Content-Type", "application/proto", "Content-Encoding", name)
		if res.StatusCode != http.StatusTooManyRequests || !strings.Contains(body, "resource_exhausted") {
			t.Errorf("%s, %d bytes: %s %s", name, bomb.Len(), res.Status, body)
		}
		framed := append(binary.BigEndian.AppendUint32([]byte{1}, uint32(bomb.Len())), bomb.Bytes()...)
		_, body = request(t, clientOf(t, 1), "POST", server.URL+"/web.Svc/Server", string(framed),
			"Content-Type", "application/connect+proto", "Connect-Content-Encoding", name)
		if !strings.Contains(body, "resource_exhausted") {
			t.Errorf("%s in a stream: %s", name, body)
		}
	}
}

// TestDecompressorsAreReplaced checks when a decompressor is used again: brotli's keeps
// unread input when it is reset, which must not reach the next message.
func TestDecompressorsAreReplaced(t *testing.T) {
	made := 0
	l := newLimited(func() decompressor {
		made++
		return new(gzip.Reader)
	}, 1000)
	use := func(read int64) {
		t.Helper()
		if err := l.Reset(bytes.NewReader(zipped(t))); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, l, read); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		_ = l.Reset(http.NoBody)
	}
	for _, tt := range []struct {
		read int64
		want int
	}{{100, 1}, {100, 1}, {10, 2}, {100, 2}} {
		if use(tt.read); made != tt.want {
			t.Errorf("%d decompressors after reading %d bytes, want %d", made, tt.read, tt.want)
		}
	}
}

func zipped(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.CopyN(w, new(counter), 50); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
