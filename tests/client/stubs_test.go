package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/testdata"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// The interop server's messages, as a user writes them by hand.
type (
	interopPayload struct{ Body []byte }
	interopStatus  struct {
		Code    int32
		Message string
	}
	interopRequest struct {
		ResponseSize   int32
		Payload        *interopPayload
		ResponseStatus *interopStatus
	}
	interopResponse struct{ Payload *interopPayload }
	interopAnswer   struct {
		Size, IntervalUs int32
	}
	interopAsk struct {
		ResponseParameters []interopAnswer
		Payload            *interopPayload
		ResponseStatus     *interopStatus
	}
	interopPart struct{ Payload *interopPayload }
	interopSum  struct{ AggregatedPayloadSize int32 }
)

// dialInterop returns a client of an interop server.
func dialInterop(t testing.TB, addr string, opts ...dynclient.Option) *dynclient.Client {
	t.Helper()
	c, err := dynclient.Dial(rig.Context(t), addr, append([]dynclient.Option{dynclient.WithSources(dynclient.Path(interopProtos))}, opts...)...)
	rig.Must(t, err)
	t.Cleanup(func() { _ = c.Close() }) // which the test may have done
	return c
}

// each is a sequence of requests without errors.
func each[T any](list ...*T) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// asks is a request for answers of these sizes.
func asks(sizes ...int32) *interopAsk {
	ask := new(interopAsk)
	for _, size := range sizes {
		ask.ResponseParameters = append(ask.ResponseParameters, interopAnswer{Size: size})
	}
	return ask
}

// TestStubs makes calls of the four shapes to grpc-go's interop server
// with plain structs, and with generated messages.
func TestStubs(t *testing.T) {
	t.Parallel()
	_, addr := startInteropServer(t)
	c := dialInterop(t, addr)
	ctx := rig.Context(t)

	t.Run("unary", func(t *testing.T) {
		unary, err := dynclient.Unary[interopRequest, interopResponse](c, "grpc.testing.TestService/UnaryCall")
		rig.Must(t, err)
		var header, trailer metadata.MD
		echoed := metadata.Pairs("x-grpc-test-echo-initial", "first", "x-grpc-test-echo-trailing-bin", "\x00\xff")
		out, err := unary(ctx, &interopRequest{ResponseSize: 314159, Payload: &interopPayload{make([]byte, 271828)}},
			dynclient.Metadata(echoed), grpc.Header(&header), grpc.Trailer(&trailer))
		rig.Must(t, err)
		if len(out.Payload.Body) != 314159 {
			t.Errorf("%d bytes", len(out.Payload.Body))
		}
		if got := header.Get("x-grpc-test-echo-initial"); !slices.Equal(got, []string{"first"}) {
			t.Errorf("header %v", header)
		}
		if got := trailer.Get("x-grpc-test-echo-trailing-bin"); !slices.Equal(got, []string{"\x00\xff"}) {
			t.Errorf("trailer %v", trailer)
		}
		_, err = unary(ctx, &interopRequest{ResponseStatus: &interopStatus{Code: 7, Message: "kein Zutritt ☺"}})
		var failure *dynclient.Error
		if !errors.As(err, &failure) || failure.Code() != codes.PermissionDenied || failure.Message() != "kein Zutritt ☺" ||
			failure.Method != "grpc.testing.TestService/UnaryCall" || failure.Target != addr {
			t.Errorf("got %v", err)
		}
	})
	t.Run("generated", func(t *testing.T) {
		unary, err := dynclient.Unary[testpb.SimpleRequest, testpb.SimpleResponse](c, "grpc.testing.TestService/UnaryCall")
		rig.Must(t, err)
		out, err := unary(ctx, &testpb.SimpleRequest{ResponseSize: 9})
		rig.Must(t, err)
		if len(out.GetPayload().GetBody()) != 9 {
			t.Errorf("got %v", out)
		}
	})
	t.Run("unimplemented", func(t *testing.T) {
		call, err := dynclient.Unary[testpb.Empty, testpb.Empty](c, "grpc.testing.TestService/UnimplementedCall")
		rig.Must(t, err)
		_, err = call(ctx, &testpb.Empty{})
		rig.WantCode(t, err, codes.Unimplemented)
	})
	t.Run("server stream", func(t *testing.T) {
		down, err := dynclient.ServerStream[interopAsk, interopPart](c, "grpc.testing.TestService/StreamingOutputCall")
		rig.Must(t, err)
		var sizes []int32
		for part, err := range down(ctx, asks(31415, 9, 0, 58979)) {
			rig.Must(t, err)
			sizes = append(sizes, int32(len(part.Payload.Body)))
		}
		if want := []int32{31415, 9, 0, 58979}; !slices.Equal(sizes, want) {
			t.Errorf("got %v", sizes)
		}
	})
	t.Run("client stream", func(t *testing.T) {
		up, err := dynclient.ClientStream[interopPart, interopSum](c, "grpc.testing.TestService/StreamingInputCall")
		rig.Must(t, err)
		sum, err := up(ctx, each(&interopPart{&interopPayload{make([]byte, 27182)}}, &interopPart{}, &interopPart{&interopPayload{make([]byte, 8)}}))
		rig.Must(t, err)
		if sum.AggregatedPayloadSize != 27190 {
			t.Errorf("got %d", sum.AggregatedPayloadSize)
		}
		mine := errors.New("no more")
		_, err = up(ctx, func(yield func(*interopPart, error) bool) { _ = yield(&interopPart{}, nil) && yield(nil, mine) })
		if !errors.Is(err, mine) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ping-pong", func(t *testing.T) {
		chat, err := dynclient.Bidi[interopAsk, interopPart](c, "grpc.testing.TestService/FullDuplexCall")
		rig.Must(t, err)
		next := make(chan *interopAsk, 1)
		requests := func(yield func(*interopAsk, error) bool) {
			for ask := range next {
				if !yield(ask, nil) {
					return
				}
			}
		}
		sizes := []int32{31415, 9, 2653, 58979}
		next <- asks(sizes[0])
		got := 0
		for part, err := range chat(ctx, requests) {
			rig.Must(t, err)
			if len(part.Payload.Body) != int(sizes[got]) {
				t.Errorf("answer %d has %d bytes", got, len(part.Payload.Body))
			}
			if got++; got == len(sizes) {
				close(next)
			} else {
				next <- asks(sizes[got])
			}
		}
		if got != len(sizes) {
			t.Errorf("%d answers", got)
		}
		for _, err := range chat(ctx, each(&interopAsk{ResponseStatus: &interopStatus{Code: 3, Message: "no"}})) {
			rig.WantCode(t, err, codes.InvalidArgument)
		}
	})
	t.Run("invoke", func(t *testing.T) {
		var out json.RawMessage
		rig.Must(t, c.Invoke(ctx, "grpc.testing.TestService/UnaryCall", map[string]any{"responseSize": 3}, &out))
		if want := `{"payload":{"body":"` + base64.StdEncoding.EncodeToString(make([]byte, 3)) + `"}}`; string(out) != want {
			t.Errorf("got %s", out)
		}
	})
}

// slow requests one answer at once, and one long after the end of the test.
func slow() *interopAsk {
	return &interopAsk{ResponseParameters: []interopAnswer{{Size: 1}, {Size: 2, IntervalUs: 1800_000_000}}}
}

// TestCancel ends calls before the server does.
func TestCancel(t *testing.T) {
	t.Parallel()
	_, addr := startInteropServer(t)
	c := dialInterop(t, addr)
	down, err := dynclient.ServerStream[interopAsk, interopPart](c, "grpc.testing.TestService/StreamingOutputCall")
	rig.Must(t, err)
	chat, err := dynclient.Bidi[interopAsk, interopPart](c, "grpc.testing.TestService/FullDuplexCall")
	rig.Must(t, err)
	up, err := dynclient.ClientStream[interopPart, interopSum](c, "grpc.testing.TestService/StreamingInputCall")
	rig.Must(t, err)

	streams := map[string]func(context.Context, ...grpc.CallOption) iter.Seq2[*interopPart, error]{
		"server stream": func(ctx context.Context, opts ...grpc.CallOption) iter.Seq2[*interopPart, error] {
			return down(ctx, slow(), opts...)
		},
		"bidi": func(ctx context.Context, opts ...grpc.CallOption) iter.Seq2[*interopPart, error] {
			return chat(ctx, each(slow()), opts...)
		},
	}
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(rig.Context(t))
			defer cancel()
			var last error
			answers := 0
			for _, last = range stream(ctx) {
				if last == nil {
					answers++
					cancel()
				}
			}
			rig.WantCode(t, last, codes.Canceled)
			if answers != 1 {
				t.Errorf("%d answers", answers)
			}
			for range stream(rig.Context(t)) {
				break // cancels too
			}
			for _, last = range stream(rig.Context(t), dynclient.Timeout(300*time.Millisecond)) {
			}
			rig.WantCode(t, last, codes.DeadlineExceeded)
		})
	}
	t.Run("client stream", func(t *testing.T) {
		ctx, cancel := context.WithCancel(rig.Context(t))
		defer cancel()
		_, err := up(ctx, func(yield func(*interopPart, error) bool) {
			for yield(&interopPart{&interopPayload{make([]byte, 100)}}, nil) {
				cancel()
			}
		})
		rig.WantCode(t, err, codes.Canceled)
	})
	t.Run("stream", func(t *testing.T) {
		s, err := c.Stream(rig.Context(t), "grpc.testing.TestService/FullDuplexCall")
		rig.Must(t, err)
		defer s.Close()
		rig.Must(t, s.Send(json.RawMessage(`{"responseParameters": [{"size": 2}]}`)))
		var answer map[string]any
		rig.Must(t, s.Recv(&answer))
		s.Close()
		rig.WantCode(t, s.Recv(&answer), codes.Canceled)
		if err := s.Send(map[string]any{}); !errors.Is(err, io.EOF) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("close", func(t *testing.T) {
		c := dialInterop(t, addr)
		down, err := dynclient.ServerStream[interopAsk, interopPart](c, "grpc.testing.TestService/StreamingOutputCall")
		rig.Must(t, err)
		var last error
		for _, last = range down(rig.Context(t), slow()) {
			if last == nil {
				rig.Must(t, c.Close())
			}
		}
		rig.WantCode(t, last, codes.Canceled)
	})
}

// TestTLSLibrary uses the credentials of grpc.
func TestTLSLibrary(t *testing.T) {
	t.Parallel()
	_, addr := startInteropServer(t, "--use_tls",
		"--tls_cert_file="+testdata.Path("server1.pem"), "--tls_key_file="+testdata.Path("server1.key"))
	creds, err := credentials.NewClientTLSFromFile(testdata.Path("ca.pem"), "foo.test.google.fr")
	rig.Must(t, err)
	c := dialInterop(t, addr, dynclient.WithGRPC(grpc.WithTransportCredentials(creds)))
	var out map[string]any
	rig.Must(t, c.Invoke(rig.Context(t), "grpc.testing.TestService/EmptyCall", map[string]any{}, &out))
	rig.WantCode(t, dialInterop(t, addr).Invoke(rig.Context(t), "grpc.testing.TestService/EmptyCall", map[string]any{}, &out), codes.Unavailable)
}
