package restfront

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/dyngate/dyngate/handlers"
)

const helloProto = `syntax = "proto3";
package hello;
import "google/api/annotations.proto";
service Greeter {
  rpc Hello(Request) returns (Reply) { option (google.api.http) = { get: "/v1/hello/{name}" }; }
  rpc Raw(Request) returns (Request);
}
message Request { string name = 1; }
message Reply { string message = 1; }
`

type helloRequest struct {
	Name string `json:"name"`
}

type helloReply struct {
	Message string `json:"message"`
}

func hello(_ context.Context, in *helloRequest) (*helloReply, error) {
	return &helloReply{Message: "Hello, " + in.Name + "!"}, nil
}

func newHello(tb testing.TB) *Front {
	reg := handlers.NewRegistry()
	reg.Handle("hello.Greeter/Hello", handlers.Unary(hello))
	reg.Handle("hello.Greeter/Raw", echo)
	return newFront(tb, Options{}, reg, map[string]string{"hello.proto": helloProto})
}

// floor answers as hello does, with net/http and encoding/json alone.
func floor(w http.ResponseWriter, r *http.Request) {
	var in helloRequest
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out, _ := hello(r.Context(), &in)
	text, _ := json.Marshal(out)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

// replay is a request that can be served again and again, and its response, without
// allocations of their own.
type replay struct {
	*http.Request
	header http.Header
	body   bytes.Reader
	text   []byte
	wrote  int
}

func newReplay(tb testing.TB, text, body string) *replay {
	r := &replay{Request: request(tb, text), text: []byte(body), header: make(http.Header)}
	if body != "" {
		r.Body, r.ContentLength = r, int64(len(body))
	}
	return r
}

func (r *replay) Read(p []byte) (int, error) {
	n, err := r.body.Read(p)
	if r.body.Len() == 0 {
		err = io.EOF
	}
	return n, err
}

func (r *replay) Close() error        { return nil }
func (r *replay) Header() http.Header { return r.header }
func (r *replay) WriteHeader(int)     { r.wrote = 0 }
func (r *replay) Write(p []byte) (int, error) {
	r.wrote += len(p)
	return len(p), nil
}

func (r *replay) serve(tb testing.TB, h http.Handler) {
	clear(r.header)
	r.body.Reset(r.text)
	r.wrote = 0
	h.ServeHTTP(r, r.Request)
	if r.wrote != len(`{"message":"Hello, Ada!"}`) {
		tb.Fatal("wrong answer of", r.wrote, "bytes")
	}
}

const postHello = "POST /hello.Greeter/Hello\nContent-Type: application/json\nUser-Agent: bench\nAccept-Encoding: gzip"

// BenchmarkServe is what a request takes without net/http's part.
func BenchmarkServe(b *testing.B) {
	f := newHello(b)
	for _, bench := range []struct {
		name    string
		replay  *replay
		handler http.Handler
	}{
		{"floor", newReplay(b, postHello, `{"name":"Ada"}`), http.HandlerFunc(floor)},
		{"POST", newReplay(b, postHello, `{"name":"Ada"}`), f},
		{"GET", newReplay(b, "GET /v1/hello/Ada\nUser-Agent: bench", ""), f},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bench.replay.serve(b, bench.handler)
			}
		})
	}
}

// BenchmarkLoopback is a whole request over a connection.
func BenchmarkLoopback(b *testing.B) {
	for _, bench := range []struct {
		name    string
		handler http.Handler
	}{{"floor", http.HandlerFunc(floor)}, {"POST", newHello(b)}} {
		b.Run(bench.name, func(b *testing.B) {
			s := httptest.NewServer(bench.handler)
			defer s.Close()
			request := []byte("POST /hello.Greeter/Hello HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nUser-Agent: bench\r\nAccept-Encoding: gzip\r\nContent-Length: 14\r\n\r\n{\"name\":\"Ada\"}")
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				conn, err := net.Dial("tcp", s.Listener.Addr().String())
				if err != nil {
					b.Error(err)
					return
				}
				defer conn.Close()
				buf := make([]byte, 4096)
				for pb.Next() {
					if _, err := conn.Write(request); err != nil {
						b.Error(err)
						return
					}
					n, err := conn.Read(buf)
					if err != nil || !bytes.HasSuffix(buf[:n], []byte(`{"message":"Hello, Ada!"}`)) {
						b.Errorf("%s %v", buf[:n], err)
						return
					}
				}
			})
		})
	}
}
