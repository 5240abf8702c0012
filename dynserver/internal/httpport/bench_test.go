package httpport

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

var (
	jsonType = []string{"application/json"}
	greeting = []byte(`{"message":"Hello, Ada!"}`)
)

// answer reads a request and answers it.
func answer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header()["Content-Type"] = jsonType
	_, _ = w.Write(greeting)
}

// BenchmarkRequest is what a request over a connection takes with net/http alone and
// with a Server.
func BenchmarkRequest(b *testing.B) {
	for name, text := range map[string]string{
		"GET":  "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n\r\n",
		"POST": "POST / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nContent-Length: 14\r\n\r\n{\"name\":\"Ada\"}",
	} {
		b.Run(name+" net-http", func(b *testing.B) {
			s := httptest.NewServer(http.HandlerFunc(answer))
			defer s.Close()
			benchRequest(b, s.Listener.Addr().String(), text)
		})
		b.Run(name+" port", func(b *testing.B) {
			lis, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			s, err := New(Options{Handler: http.HandlerFunc(answer)})
			if err != nil {
				b.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- s.Serve(lis) }() // ends with Stop
			benchRequest(b, lis.Addr().String(), text)
			s.Stop()
			if err := <-done; err != nil {
				b.Error(err)
			}
		})
	}
}

func benchRequest(b *testing.B, addr, text string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	request, buf := []byte(text), make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		n, err := conn.Read(buf)
		if err != nil || !bytes.HasSuffix(buf[:n], greeting) {
			b.Fatalf("%s %v", buf[:n], err)
		}
	}
}
