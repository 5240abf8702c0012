package webfront

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/bench/benchpb"
	"github.com/dyngate/dyngate/tests/bench/shop"
)

// sink is an http.ResponseWriter that forgets what is written.
type sink struct {
	header http.Header
	code   int
	n      int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(code int)        { s.code = code }
func (s *sink) Write(p []byte) (int, error) { s.n += len(p); return len(p), nil }
func (*sink) Flush()                        {}

// replay is the body of a request.
type replay struct{ bytes.Reader }

func (*replay) Close() error { return nil }

// benchServers are dyngate with plain structs, and connect-go with generated code.
func benchServers(b testing.TB) map[string]http.Handler {
	b.Helper()
	schema, err := os.ReadFile("../../../tests/bench/benchpb/bench.proto")
	if err != nil {
		b.Fatal(err)
	}
	reg := handlers.NewRegistry()
	reg.Handle("dyngate.bench.Shop/Greet", handlers.Unary(func(_ context.Context, in *shop.Hello) (*shop.Greeting, error) {
		return &shop.Greeting{Message: "Hello, " + in.Name + "!"}, nil
	}))
	reg.Handle("dyngate.bench.Shop/Price", handlers.Unary(func(_ context.Context, in *shop.Order) (*shop.Order, error) { return in, nil }))
	generated := http.NewServeMux()
	generated.Handle("/dyngate.bench.Shop/Greet", connect.NewUnaryHandlerSimple("/dyngate.bench.Shop/Greet",
		func(_ context.Context, in *benchpb.Hello) (*benchpb.Greeting, error) {
			return &benchpb.Greeting{Message: "Hello, " + in.GetName() + "!"}, nil
		}))
	generated.Handle("/dyngate.bench.Shop/Price", connect.NewUnaryHandlerSimple("/dyngate.bench.Shop/Price",
		func(_ context.Context, in *benchpb.Order) (*benchpb.Order, error) { return in, nil }))
	return map[string]http.Handler{"dyngate": New(serving(b, string(schema), reg), Options{}), "connect-go": generated}
}

// benchRequests are the bodies by method and format.
func benchRequests(b testing.TB) map[string][]byte {
	b.Helper()
	out := make(map[string][]byte)
	for method, m := range map[string]proto.Message{"Greet": &benchpb.Hello{Name: "Ada Lovelace"}, "Price": shop.NewOrder(10)} {
		binary, err := proto.Marshal(m)
		if err != nil {
			b.Fatal(err)
		}
		text, err := protojson.Marshal(m)
		if err != nil {
			b.Fatal(err)
		}
		out[method+" proto"], out[method+" json"] = binary, text
	}
	return out
}

// BenchmarkUnary is what a unary call of Connect costs the server, without HTTP.
func BenchmarkUnary(b *testing.B) {
	servers, requests := benchServers(b), benchRequests(b)
	for _, name := range []string{"Greet proto", "Greet json", "Price proto", "Price json"} {
		for _, server := range []string{"dyngate", "connect-go"} {
			b.Run(name+" "+server, func(b *testing.B) { benchUnary(b, servers[server], name, requests[name]) })
		}
	}
}

func benchUnary(b *testing.B, h http.Handler, name string, body []byte) {
	call := repeat(b, h, name, body)
	b.ReportAllocs()
	for b.Loop() {
		call()
	}
}

// repeat returns a function that makes a call.
func repeat(b testing.TB, h http.Handler, name string, body []byte) func() {
	b.Helper()
	method, codec := name[:5], name[6:]
	header := http.Header{
		"Content-Type": {"application/" + codec}, "Connect-Protocol-Version": {"1"},
		"User-Agent": {"connect-go/1.21.1"}, "Accept-Encoding": {"identity"},
	}
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "http://localhost/dyngate.bench.Shop/"+method, nil)
	if err != nil {
		b.Fatal(err)
	}
	in := new(replay)
	w := &sink{}
	return func() {
		in.Reset(body)
		r.Body, r.Header, r.ContentLength = in, header, int64(len(body))
		w.header, w.code, w.n = make(http.Header), 0, 0
		h.ServeHTTP(w, r)
		if w.code >= 400 || w.n == 0 {
			b.Fatal(w.code, w.n)
		}
	}
}

// BenchmarkLoopback is the same over HTTP/1.1, with the client.
func BenchmarkLoopback(b *testing.B) {
	servers, requests := benchServers(b), benchRequests(b)
	for _, name := range []string{"Greet proto", "Greet json", "Price proto", "Price json"} {
		for _, server := range []string{"dyngate", "connect-go"} {
			b.Run(name+" "+server, func(b *testing.B) {
				url := start(b, servers[server]).URL + "/dyngate.bench.Shop/" + name[:5]
				c := clientOf(b, 1)
				b.ReportAllocs()
				for b.Loop() {
					req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(requests[name]))
					if err != nil {
						b.Fatal(err)
					}
					req.Header["Content-Type"] = []string{"application/" + name[6:]}
					req.Header["Connect-Protocol-Version"] = []string{"1"}
					req.Header["Accept-Encoding"] = []string{"identity"}
					res, err := c.Do(req)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
						b.Fatal(res.Status, err)
					}
					_ = res.Body.Close()
				}
			})
		}
	}
}
