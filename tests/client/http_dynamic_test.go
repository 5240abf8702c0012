package client

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// The schema comes from reflection, over the same protocol.
func TestHTTPDynamic(t *testing.T) {
	t.Parallel()
	addr := ways[0].start(t, connectGo()).URL + "/prefix"
	for _, protocol := range protocols {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel()
			c, err := dynclient.Dial(rig.Context(t), addr, dynclient.WithHTTP(dynclient.HTTPOptions{Protocol: protocol}))
			rig.Must(t, err)
			defer c.Close()

			call, err := dynclient.Unary[interopRequest, interopResponse](c, "grpc.testing.TestService/UnaryCall")
			rig.Must(t, err)
			reply, err := call(rig.Context(t), &interopRequest{ResponseSize: 7})
			if err != nil || len(reply.Payload.Body) != 7 {
				t.Fatalf("got %v, %v", reply, err)
			}

			talk, err := dynclient.Bidi[interopAsk, interopPart](c, "grpc.testing.TestService/FullDuplexCall")
			rig.Must(t, err)
			count := 0
			for part, err := range talk(rig.Context(t), each(&interopAsk{ResponseParameters: []interopAnswer{{Size: 1}}}, &interopAsk{ResponseParameters: []interopAnswer{{Size: 2}}})) {
				rig.Must(t, err)
				if count++; len(part.Payload.Body) != count {
					t.Errorf("answer %d has %d bytes", count, len(part.Payload.Body))
				}
			}
			if count != 2 {
				t.Errorf("%d answers, want 2", count)
			}

			var text json.RawMessage
			err = c.Invoke(rig.Context(t), "grpc.testing.TestService/UnaryCall", json.RawMessage(`{"responseStatus": {"code": 9, "message": "no"}}`), &text)
			var failed *dynclient.Error
			if !errors.As(err, &failed) || failed.Code() != codes.FailedPrecondition || failed.Message() != "no" || failed.Target != addr {
				t.Fatalf("got %v", err)
			}
			details := failed.Details(rig.Context(t))
			if len(details) != 1 || string(proto.MessageName(details[0])) != "grpc.testing.EchoStatus" {
				t.Errorf("details %v", details)
			}
		})
	}
}

func TestHTTPOptionsMustFitTheTarget(t *testing.T) {
	t.Parallel()
	plaintext := dynclient.WithGRPC(grpc.WithTransportCredentials(insecure.NewCredentials()))
	if _, err := dynclient.Dial(t.Context(), "http://localhost", plaintext); err == nil {
		t.Error("WithGRPC is accepted for a URL")
	}
	if _, err := dynclient.Dial(t.Context(), "localhost:1", dynclient.WithHTTP(dynclient.HTTPOptions{})); err == nil {
		t.Error("WithHTTP is accepted for a target of gRPC")
	}
	conn, err := dynclient.NewHTTPConn("http://localhost", dynclient.HTTPOptions{})
	rig.Must(t, err)
	defer conn.Close()
	client := grpc_testing.NewTestServiceClient(conn)
	_, err = client.UnaryCall(t.Context(), nil, grpc.UseCompressor("zstd"))
	wantCode(t, err, codes.Internal)
	_, err = client.UnaryCall(t.Context(), nil, grpc.CallContentSubtype("json"))
	wantCode(t, err, codes.Internal)
}

func TestHTTPCommands(t *testing.T) {
	t.Parallel()
	addr := ways[0].start(t, connectGo()).URL + "/prefix"
	for _, protocol := range protocols {
		flag := "--protocol=" + string(protocol)
		rig.Run(t, "list", addr, flag).Want(t, 0, "grpc.testing.TestService\n")
		rig.Run(t, "describe", addr, "grpc.testing.Payload", "--example", flag).Want(t, 0, "{\n  \"type\": \"COMPRESSABLE\",\n  \"body\": \"Ym9keQ==\"\n}\n")
		r := rig.Run(t, "call", addr, "UnaryCall", flag, "-d", `{"payload": {"body": "aGk="}}`, "-H", "x-text: a", "-H", "x-raw-bin: AAEC", "--gzip", "-v", "-o", "ndjson")
		r.Want(t, 0, `{"payload":{"body":"aGk="}}`+"\n", "connected to 127.0.0.1:", "> message of 6 bytes", "< x-text: a", "< x-raw-bin: AAEC", "< x-agent: dyngate",
			"< message of 6 bytes", "< trailer x-text-trailer: a", "ended after ")
		for method, data := range map[string]string{
			"StreamingOutputCall": `{"responseParameters": [{"size": 1}, {"size": 2}]}`,
			"FullDuplexCall":      `{"responseParameters": [{"size": 1}]} {"responseParameters": [{"size": 2}]}`,
		} {
			rig.Run(t, "call", addr, method, flag, "-d", data, "-o", "ndjson").Want(t, 0, `{"payload":{"body":"AA=="}}`+"\n"+`{"payload":{"body":"AAA="}}`+"\n")
		}
		rig.Run(t, "call", addr, "StreamingInputCall", flag, "-d", `{"payload": {"body": "AAA="}} {"payload": {"body": "AA=="}}`, "-o", "ndjson").
			Want(t, 0, `{"aggregatedPayloadSize":3}`+"\n")
		rig.Run(t, "call", addr, "UnaryCall", flag, "-d", `{"responseStatus": {"code": 5, "message": "no"}}`).
			Want(t, 69, "", "NOT_FOUND (5): no\n  grpc.testing.TestService/UnaryCall at "+addr+"\n  grpc.testing.EchoStatus\n")
		rig.Run(t, "call", addr, "UnaryCall", flag, "-d", `{"responseSize": 200}`, "--max-recv-bytes", "100").Want(t, 72, "", "--max-recv-bytes N accepts larger responses")
		rig.Run(t, "call", addr, "UnaryCall", flag, "-d", `{"fillUsername": true}`, "--deadline", "500ms").Want(t, 68, "", "DEADLINE_EXCEEDED (4): ")
		rig.Run(t, "call", addr, "EmptyCall", flag).Want(t, 76, "", "UNIMPLEMENTED (12): ")
	}
}

func TestHTTPTargets(t *testing.T) {
	t.Parallel()
	srv := ways[0].start(t, connectGo())
	addr := srv.Listener.Addr().String()
	call := func(target string, args ...string) rig.Result { return callInterop(t, target, "UnaryCall", args...) }
	call("http://"+addr+"/prefix/", "--authority", "example.com").Want(t, 0, "{}\n")
	call("HTTP://"+addr+"/prefix").Want(t, 0, "{}\n")
	call(addr, "--protocol", "connect").Want(t, 76, "", "UNIMPLEMENTED (12): 404 Not Found", "at http://"+addr+"\n")
	call("http://"+addr, "--tls").Want(t, 2, "", "write https://")
	call("https://"+addr).Want(t, 78, "", "write http://")
	call("http://u:s3cret@"+addr).Want(t, 2, "", "user name or password")
	call("dns:///"+addr, "--protocol", "grpcweb").Want(t, 2, "", "--protocol grpcweb: ", "is a target of gRPC")
	call(addr, "--protocol", "gprc").Want(t, 2, "", `did you mean "grpc"?`)
	call("http://127.0.0.1:1").Want(t, 78, "", "UNAVAILABLE (14): dial tcp 127.0.0.1:1: connect: connection refused")

	old := ways[1].start(t, connectGo()).URL + "/prefix"
	rig.Run(t, "list", old).Want(t, 78, "", "HTTP/2 without TLS: ", "the server may speak only HTTP/1.1 (--proto ")
	call(old).Want(t, 0, "{}\n")
	call(old, "--protocol", "grpc").Want(t, 78, "", "the server may speak only HTTP/1.1")

	secure := ways[2].start(t, connectGo()).URL + "/prefix"
	call(secure).Want(t, 78, "", "--ca FILE trusts")
	call(secure, "--insecure-skip-verify").Want(t, 0, "{}\n")
	rig.Run(t, "list", secure, "--insecure-skip-verify").Want(t, 0, "grpc.testing.TestService\n")
	call(strings.TrimSuffix(strings.TrimPrefix(secure, "https://"), "/prefix"), "--protocol", "connect", "--insecure-skip-verify").Want(t, 76, "", "at https://")
}

func TestHTTPOverUnixSocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	lis, err := net.Listen("unix", path)
	rig.Must(t, err)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/prefix" + r.URL.Path
		connectGo().ServeHTTP(w, r)
	})}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(lis) }() // ends with Close
	t.Cleanup(func() { _ = srv.Close(); <-done })
	for _, target := range []string{"unix:" + path, "unix://" + path} {
		callInterop(t, target, "UnaryCall", "--protocol", "connect").Want(t, 0, "{}\n")
	}
}

// bomb returns 64 MiB of zeros in 64 KiB of gzip.
var bomb = sync.OnceValue(func() []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	for range 64 {
		_, _ = w.Write(make([]byte, 1<<20))
	}
	_ = w.Close()
	return out.Bytes()
})

// badResponses are what a broken or hostile server may answer.
var badResponses = map[string]struct {
	status int // of the command
	serve  http.HandlerFunc
}{
	"HTML": {76, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "<h1>\x1b[31mBad</h1>")
	}},
	"another type": {0, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
	}},
	"header without end": {78, func(w http.ResponseWriter, _ *http.Request) {
		for i := range 2000 {
			w.Header().Set(fmt.Sprint("x-", i), strings.Repeat("x", 1000))
		}
	}},
	"terminal": {80, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"code": "unauthenticated", "message": "\u001b[31mno\u202e", "details": [{"type": "a\u001b[31m.B", "value": "AAEC"}]}`)
	}},
	"unknown code": {0, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, `{"code": "teapot", "message": 5`)
	}},
	"large error": {72, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"code": "internal", "message": "`+strings.Repeat("x", 5<<20))
	}},
	"not a message": {77, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/proto")
		_, _ = io.WriteString(w, "\xff\xff\xff")
	}},
	"unknown compression": {77, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/proto")
		w.Header().Set("Content-Encoding", "lzma")
		_, _ = io.WriteString(w, "abc")
	}},
	"bomb": {72, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/proto")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb())
	}},
	"cut off": {0, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/proto")
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "abc")
	}},
}

func TestBadHTTPResponses(t *testing.T) {
	t.Parallel()
	for name, bad := range badResponses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := ways[0].start(t, bad.serve).URL
			for _, protocol := range protocols {
				r := callInterop(t, addr, "UnaryCall", "--protocol", string(protocol), "--deadline", "20s")
				if r.Status < 64 || r.Status == 68 || protocol == dynclient.Connect && bad.status != 0 && r.Status != bad.status {
					t.Errorf("%s: status %d, want %d\n%s", protocol, r.Status, bad.status, r.Stderr)
				}
			}
		})
	}
	for name, serve := range noServers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := listenRaw(t, serve)
			for _, protocol := range protocols {
				if r := callInterop(t, "http://"+addr, "UnaryCall", "--protocol", string(protocol), "--deadline", "1s"); r.Status < 64 {
					t.Errorf("%s: status %d\n%s", protocol, r.Status, r.Stderr)
				}
			}
		})
	}
}
