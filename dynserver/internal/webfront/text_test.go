package webfront

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

// framed returns messages of gRPC-Web.
func framed(messages ...string) []byte {
	var b []byte
	for _, m := range messages {
		b = binary.BigEndian.AppendUint32(append(b, 0), uint32(len(m)))
		b = append(b, m...)
	}
	return b
}

// unpad decodes base64 of several parts, slowly.
func unpad(text []byte) ([]byte, error) {
	var out []byte
	for len(text) > 0 {
		if len(text) < 4 {
			return out, io.ErrUnexpectedEOF
		}
		part, err := base64.StdEncoding.DecodeString(string(text[:4]))
		if err != nil || bytes.ContainsAny(text[:4], "\r\n") {
			err = errors.Join(err, base64.CorruptInputError(0))
			return out, err
		}
		out, text = append(out, part...), text[4:]
	}
	return out, nil
}

// TestText calls each shape in grpc-web-text, its request in parts of various sizes.
func TestText(t *testing.T) {
	server := start(t, New(newCurrent(t, nil), Options{}))
	for _, tt := range []struct {
		method, content string
		in              []string
		want            []string
	}{
		{"Unary", "application/grpc-web-text", []string{string(wireOf("a"))}, []string{string(wireOf("hello a"))}},
		{"Unary", "application/grpc-web-text+proto", []string{string(wireOf("a"))}, []string{string(wireOf("hello a"))}},
		{"Unary", "application/grpc-web-text+json", []string{`{"text":"a"}`}, []string{`{"text":"hello a"}`}},
		{"Server", "application/grpc-web-text", []string{string(wireOf("a"))}, []string{string(wireOf("a0")), string(wireOf("a1")), string(wireOf("a2"))}},
		{"Client", "application/grpc-web-text", []string{string(wireOf("a")), string(wireOf("b"))}, []string{string(wireOf("a+b"))}},
		{"Bidi", "application/grpc-web-text", []string{string(wireOf("a")), string(wireOf("b"))}, []string{string(wireOf("got a")), string(wireOf("got b"))}},
	} {
		binary := framed(tt.in...)
		for step := range 7 {
			var body strings.Builder
			for rest := binary; len(rest) > 0; {
				n := min(step+1, len(rest))
				if step == 0 {
					n = len(rest)
				}
				body.WriteString(base64.StdEncoding.EncodeToString(rest[:n]))
				rest = rest[n:]
			}
			for version := 1; version <= 2; version++ {
				res, text := request(t, clientOf(t, version), "POST", server.URL+"/web.Svc/"+tt.method, body.String(), "Content-Type", tt.content)
				if got := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || got != tt.content {
					t.Errorf("%s %s: %s, content type %s", tt.method, tt.content, res.Status, got)
				}
				out, err := unpad([]byte(text))
				trailers, ok := bytes.CutPrefix(out, framed(tt.want...))
				if err != nil || !ok || trailers[0] != 0x80 || !bytes.Contains(trailers, []byte("grpc-status: 0\r\n")) {
					t.Errorf("%s %s in parts of %d bytes: %q, %v", tt.method, tt.content, step, out, err)
				}
			}
		}
	}
}

// TestTextErrors checks what callers of grpc-web-text get who make mistakes.
func TestTextErrors(t *testing.T) {
	server := start(t, New(newCurrent(t, nil), Options{}))
	for _, tt := range []struct{ method, body, want string }{
		{"Unary", "%%%%", "illegal base64"},
		{"Unary", "AAAA", "incomplete envelope"},
		{"Unary", "AAAAAAA", "unexpected EOF"},
		{"Unary", "", "takes one request message"},
		{"Unari", "", "unknown method"},
	} {
		res, text := request(t, clientOf(t, 1), "POST", server.URL+"/web.Svc/"+tt.method, tt.body, "Content-Type", "application/grpc-web-text")
		out, err := unpad([]byte(text))
		if message := res.Header.Get("Grpc-Message") + string(out); err != nil || !strings.Contains(message, tt.want) {
			t.Errorf("%s %s: %v %q %v", tt.method, tt.body, res.Header, out, err)
		}
		if got := res.Header.Get("Content-Type"); got != "application/grpc-web-text" {
			t.Errorf("content type %s", got)
		}
	}
}

// FuzzTextReader compares the reader with one that is slow and simple.
func FuzzTextReader(f *testing.F) {
	f.Add([]byte("AAAAAAA="), 1)
	f.Add([]byte("AA==AAA=AAAA"), 3)
	f.Add([]byte("AA==A"), 5)
	f.Add([]byte("A\nAA"), 2)
	f.Add(bytes.Repeat([]byte("AAAA"), 1100), 4096)
	f.Fuzz(func(t *testing.T, text []byte, step int) {
		want, wantErr := unpad(text)
		for _, body := range []io.Reader{bytes.NewReader(text), iotest.OneByteReader(bytes.NewReader(text)), iotest.DataErrReader(bytes.NewReader(text))} {
			r := &textReader{body: io.NopCloser(body)}
			var got []byte
			p := make([]byte, 1+max(0, step)%5000)
			var err error
			for err == nil {
				var n int
				n, err = r.Read(p)
				got = append(got, p[:n]...)
			}
			if err == io.EOF {
				err = nil
			}
			if (err == nil) != (wantErr == nil) || wantErr == nil && !bytes.Equal(got, want) {
				t.Errorf("%.100q: %.100q %v, want %.100q %v", text, got, err, want, wantErr)
			}
			if !bytes.HasPrefix(want, got) && wantErr != nil && !bytes.HasPrefix(got, want) {
				t.Errorf("%.100q: %.100q before an error, want %.100q", text, got, want)
			}
		}
	})
}

// FuzzTextWriter writes parts, flushes between some, and decodes what arrives.
func FuzzTextWriter(f *testing.F) {
	f.Add([]byte("some text to write"), uint64(0x1234567))
	f.Add(bytes.Repeat([]byte("long "), 700), uint64(0xffffff))
	f.Fuzz(func(t *testing.T, data []byte, choices uint64) {
		record := httptest.NewRecorder()
		w := &textWriter{ResponseWriter: record}
		for rest := data; len(rest) > 0; choices = choices>>3 | choices<<61 {
			n := min(int(choices&0xff)*int(choices&3)+1, len(rest))
			if m, err := w.Write(rest[:n]); m != n || err != nil {
				t.Fatal(m, err)
			}
			rest = rest[n:]
			if choices&4 != 0 {
				w.Flush()
				flushed := len(data) - len(rest)
				if got, err := unpad(record.Body.Bytes()); err != nil || !bytes.Equal(got, data[:flushed]) {
					t.Fatalf("%.100q after a flush, want %.100q: %v", got, data[:flushed], err)
				}
			}
		}
		w.end()
		if got, err := unpad(record.Body.Bytes()); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%.100q, want %.100q: %v", got, data, err)
		}
	})
}

// brokenWriter is an http.ResponseWriter of a caller who is gone.
type brokenWriter struct{ http.ResponseWriter }

var errGone = errors.New("gone")

func (brokenWriter) Write([]byte) (int, error) { return 0, errGone }

func TestTextWriterReportsErrors(t *testing.T) {
	w := &textWriter{ResponseWriter: brokenWriter{httptest.NewRecorder()}}
	if _, err := w.Write([]byte("a")); err != nil {
		t.Error("nothing can be written yet:", err)
	}
	if _, err := w.Write([]byte("bcd")); !errors.Is(err, errGone) {
		t.Error("error", err)
	}
}
