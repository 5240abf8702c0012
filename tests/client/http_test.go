package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	"github.com/dyngate/dyngate/dynclient"
)

var protocols = []dynclient.Protocol{dynclient.Connect, dynclient.GRPCWeb, dynclient.GRPC}

// caller calls one server.
type caller struct {
	grpc_testing.TestServiceClient
	duplex bool // HTTP/2 is available
	http2  bool // and used by calls of all shapes
}

// eachWay runs a test for every protocol and way to reach a server.
func eachWay(t *testing.T, test func(t *testing.T, client caller)) {
	for _, protocol := range protocols {
		for _, w := range ways {
			if protocol == dynclient.GRPC && !w.http2 {
				continue
			}
			t.Run(fmt.Sprint(protocol, " over ", w.name), func(t *testing.T) {
				t.Parallel()
				conn := dialHTTP(t, w, protocol, connectGo())
				test(t, caller{grpc_testing.NewTestServiceClient(conn), w.http2, w.http2 && (w.secure || protocol == dynclient.GRPC)})
			})
		}
	}
}

// dialHTTP returns a connection to a new server.
func dialHTTP(t testing.TB, w way, protocol dynclient.Protocol, h http.Handler) *dynclient.HTTPConn {
	t.Helper()
	srv := w.start(t, h)
	o := dynclient.HTTPOptions{Protocol: protocol, UserAgent: "tester"}
	if w.secure {
		o.TLS = srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		o.TLS = &tls.Config{RootCAs: o.TLS.RootCAs, MinVersion: tls.VersionTLS12}
	}
	return openHTTP(t, srv.URL+"/prefix/", o)
}

func openHTTP(t testing.TB, target string, o dynclient.HTTPOptions) *dynclient.HTTPConn {
	t.Helper()
	conn, err := dynclient.NewHTTPConn(target, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func payload(n int) *grpc_testing.Payload {
	return &grpc_testing.Payload{Body: []byte(strings.Repeat("x", n))}
}

var sent = metadata.MD{"x-text": {"a, b", "c"}, "x-raw-bin": {"\x00\xff,\n", ""}, "content-type": {"no"}, "user-agent": {"no"}, "grpc-timeout": {"no"}}

// checkMetadata compares what an echoing server returned with what was sent.
func checkMetadata(t *testing.T, header, trailer metadata.MD) {
	t.Helper()
	for name, after := range map[string]string{"x-text": "x-text-trailer", "x-raw-bin": "x-raw-trailer-bin"} {
		if got := header.Get(name); !slices.Equal(got, sent[name]) {
			t.Errorf("header %s: %q, want %q", name, got, sent[name])
		}
		if got := trailer.Get(after); !slices.Equal(got, sent[name]) {
			t.Errorf("trailer %s: %q, want %q", after, got, sent[name])
		}
	}
	if got := header.Get("x-agent"); !slices.Equal(got, []string{"tester"}) {
		t.Errorf("user agent: %q", got)
	}
}

func TestHTTPUnary(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, client caller) {
		ctx := metadata.NewOutgoingContext(t.Context(), sent)
		for _, size := range []int{0, 1, 100_000} {
			var header, trailer metadata.MD
			var from peer.Peer
			opts := []grpc.CallOption{grpc.Header(&header), grpc.Trailer(&trailer), grpc.Peer(&from)}
			if size > 1 {
				opts = append(opts, grpc.UseCompressor("gzip"))
			}
			in := &grpc_testing.SimpleRequest{}
			if size > 0 {
				in.Payload = payload(size)
			}
			out, err := client.UnaryCall(ctx, in, opts...)
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(out.GetPayload(), in.GetPayload()) {
				t.Errorf("got %d bytes, want %d", len(out.GetPayload().GetBody()), size)
			}
			checkMetadata(t, header, trailer)
			if from.Addr == nil {
				t.Error("no address of the server")
			}
		}
	})
}

func TestHTTPUnaryError(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, client caller) {
		for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
			want := &grpc_testing.EchoStatus{Code: int32(code), Message: "no \u00fc%\n"}
			_, err := client.UnaryCall(t.Context(), &grpc_testing.SimpleRequest{ResponseStatus: want})
			st := wantCode(t, err, code)
			if st.Message() != want.GetMessage() {
				t.Errorf("%s: message %q", code, st.Message())
			}
			if d := st.Details(); len(d) != 1 || !proto.Equal(d[0].(proto.Message), want) {
				t.Errorf("%s: details %v", code, d)
			}
		}
		var header, trailer metadata.MD
		ctx := metadata.NewOutgoingContext(t.Context(), sent)
		_, err := client.UnaryCall(ctx, &grpc_testing.SimpleRequest{ResponseStatus: &grpc_testing.EchoStatus{Code: 5}},
			grpc.Header(&header), grpc.Trailer(&trailer))
		wantCode(t, err, codes.NotFound)
		if got := metadata.Join(header, trailer).Get("x-raw-bin"); len(got) < 2 || got[0] != sent["x-raw-bin"][0] {
			t.Errorf("metadata of an error: %q", got)
		}
	})
}

func TestHTTPServerStream(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, client caller) {
		ctx := metadata.NewOutgoingContext(t.Context(), sent)
		for _, failing := range []bool{false, true} {
			in := &grpc_testing.StreamingOutputCallRequest{}
			for _, size := range []int32{0, 5, 70_000} {
				in.ResponseParameters = append(in.ResponseParameters, &grpc_testing.ResponseParameters{Size: size})
			}
			if failing {
				in.ResponseStatus = &grpc_testing.EchoStatus{Code: int32(codes.DataLoss), Message: "late"}
			}
			stream, err := client.StreamingOutputCall(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			header, err := stream.Header()
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []int{0, 5, 70_000} {
				out, err := stream.Recv()
				if err != nil || len(out.GetPayload().GetBody()) != want {
					t.Fatalf("%d bytes, %v, want %d", len(out.GetPayload().GetBody()), err, want)
				}
			}
			for range 2 { // the end stays
				_, err = stream.Recv()
				if failing {
					if st := wantCode(t, err, codes.DataLoss); st.Message() != "late" || len(st.Details()) != 1 {
						t.Errorf("status %v", st)
					}
					break
				}
				if err != io.EOF {
					t.Fatalf("%v, want EOF", err)
				}
			}
			checkMetadata(t, header, stream.Trailer())
		}
	})
}

func TestHTTPClientStream(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, client caller) {
		for _, sizes := range [][]int{{}, {0}, {1, 0, 100_000}} {
			stream, err := client.StreamingInputCall(metadata.NewOutgoingContext(t.Context(), sent))
			if err != nil {
				t.Fatal(err)
			}
			sum := 0
			for _, size := range sizes {
				sum += size
				if err := stream.Send(&grpc_testing.StreamingInputCallRequest{Payload: payload(size)}); err != nil {
					t.Fatal(err)
				}
			}
			out, err := stream.CloseAndRecv()
			if err != nil || out.GetAggregatedPayloadSize() != int32(sum) {
				t.Fatalf("%v, %v, want %d", out, err, sum)
			}
			header, err := stream.Header()
			if err != nil {
				t.Fatal(err)
			}
			checkMetadata(t, header, stream.Trailer())
		}
	})
}

// The server refuses a call while the client is still sending.
func TestHTTPClientStreamFailsEarly(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, client caller) {
		stream, err := client.StreamingInputCall(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&grpc_testing.StreamingInputCallRequest{Payload: &grpc_testing.Payload{Body: []byte("fail")}}); err != nil {
			t.Fatal(err)
		}
		if !client.http2 { // over HTTP/1.1 net/http reads the whole request before it answers
			if err := stream.CloseSend(); err != nil {
				t.Fatal(err)
			}
		}
		err = stream.RecvMsg(new(grpc_testing.StreamingInputCallResponse))
		wantCode(t, err, codes.FailedPrecondition)
		if err := stream.Send(new(grpc_testing.StreamingInputCallRequest)); err != io.EOF {
			t.Errorf("Send: %v, want EOF", err)
		}
	})
}

func TestHTTPBidi(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, client caller) {
		stream, err := client.FullDuplexCall(metadata.NewOutgoingContext(t.Context(), sent))
		if err == nil && !client.duplex {
			_, err = stream.Recv()
		}
		if !client.duplex {
			if err == nil {
				t.Fatal("a bidirectional call over HTTP/1.1 succeeded")
			}
			wantCode(t, err, codes.Unavailable)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int32{1, 0, 70_000} { // each answer before the next request
			p := []*grpc_testing.ResponseParameters{{Size: size}}
			if err := stream.Send(&grpc_testing.StreamingOutputCallRequest{ResponseParameters: p}); err != nil {
				t.Fatal(err)
			}
			out, err := stream.Recv()
			if err != nil || len(out.GetPayload().GetBody()) != int(size) {
				t.Fatalf("%d bytes, %v, want %d", len(out.GetPayload().GetBody()), err, size)
			}
		}
		header, err := stream.Header()
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != io.EOF {
			t.Fatalf("%v, want EOF", err)
		}
		checkMetadata(t, header, stream.Trailer())
	})
}

func TestHTTPDeadlines(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, client caller) {
		ctx, cancel := context.WithTimeout(t.Context(), 100_000_000)
		defer cancel()
		_, err := client.UnaryCall(ctx, &grpc_testing.SimpleRequest{FillUsername: true})
		wantCode(t, err, codes.DeadlineExceeded)
		ctx, cancel = context.WithCancel(t.Context())
		stream, err := client.StreamingOutputCall(ctx, &grpc_testing.StreamingOutputCallRequest{
			ResponseParameters: []*grpc_testing.ResponseParameters{{Size: 1}, {Size: -1}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		cancel()
		_, err = stream.Recv()
		wantCode(t, err, codes.Canceled)
	})
}

// Calls that nobody ends explicitly end with their context, and leak nothing.
func TestHTTPAbandonedCalls(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, client caller) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		onFinish := grpc.OnFinish(func(err error) { ended <- err })
		_, err := client.StreamingInputCall(ctx, onFinish)
		if err != nil {
			t.Fatal(err)
		}
		if client.duplex {
			if _, err := client.FullDuplexCall(ctx, onFinish); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		wantCode(t, <-ended, codes.Canceled)
	})
}

// A call ends while one goroutine sends its request and another waits for the answer.
func TestHTTPCancelWhileSending(t *testing.T) {
	t.Parallel()
	conn := dialHTTP(t, ways[0], dynclient.Connect, connectGo())
	for _, desc := range []*grpc.StreamDesc{{}, {ServerStreams: true}} {
		ctx, cancel := context.WithCancel(t.Context())
		path := testService + "UnaryCall"
		var in proto.Message = &grpc_testing.SimpleRequest{FillUsername: true}
		if desc.ServerStreams {
			path, in = testService+"StreamingOutputCall", &grpc_testing.StreamingOutputCallRequest{ResponseParameters: []*grpc_testing.ResponseParameters{{Size: -1}}}
		}
		var head metadata.MD
		stream, err := conn.NewStream(ctx, desc, path, grpc.Header(&head))
		if err != nil {
			t.Fatal(err)
		}
		sent := make(chan error, 1)
		go func() { sent <- stream.SendMsg(in) }() // ends with the call
		answered := make(chan error, 1)
		go func() { answered <- stream.RecvMsg(new(grpc_testing.SimpleResponse)) }() // ends with the call
		cancel()
		wantCode(t, <-answered, codes.Canceled)
		if err := <-sent; err != nil {
			t.Errorf("SendMsg: %v", err)
		}
	}
}

func TestHTTPCloseEndsCalls(t *testing.T) {
	t.Parallel()
	conn := dialHTTP(t, ways[0], dynclient.Connect, connectGo())
	client := grpc_testing.NewTestServiceClient(conn)
	stream, err := client.StreamingOutputCall(t.Context(), &grpc_testing.StreamingOutputCallRequest{
		ResponseParameters: []*grpc_testing.ResponseParameters{{Size: 1}, {Size: -1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = stream.Recv()
	wantCode(t, err, codes.Canceled)
	_, err = client.UnaryCall(t.Context(), &grpc_testing.SimpleRequest{})
	wantCode(t, err, codes.Canceled)
}

func TestHTTPSizes(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, client caller) {
		_, err := client.UnaryCall(t.Context(), &grpc_testing.SimpleRequest{ResponseSize: 4 << 20})
		if st := wantCode(t, err, codes.ResourceExhausted); !strings.Contains(st.Message(), "larger than configured max 4194304") {
			t.Errorf("message %q", st.Message())
		}
		_, err = client.UnaryCall(t.Context(), &grpc_testing.SimpleRequest{ResponseSize: 4 << 20}, grpc.MaxCallRecvMsgSize(5<<20))
		if err != nil {
			t.Error(err)
		}
		_, err = client.UnaryCall(t.Context(), &grpc_testing.SimpleRequest{Payload: payload(100)}, grpc.MaxCallSendMsgSize(100))
		wantCode(t, err, codes.ResourceExhausted)
	})
}

// A redirect could send metadata to another server.
func TestHTTPNoRedirects(t *testing.T) {
	t.Parallel()
	other := ways[0].start(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the client followed a redirect") }))
	conn := dialHTTP(t, ways[0], dynclient.Connect, http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	_, err := grpc_testing.NewTestServiceClient(conn).UnaryCall(t.Context(), &grpc_testing.SimpleRequest{})
	if err == nil || errors.Is(err, io.EOF) {
		t.Errorf("%v, want an error", err)
	}
}
