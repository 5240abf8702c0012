package client

import (
	"bytes"
	"context"
	"io"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// flaky refuses the first attempts of each call, like a server that is being
// replaced. It answers with the payload of the request.
type flaky struct {
	testpb.UnimplementedTestServiceServer
	refuse   int32
	code     codes.Code
	attempts atomic.Int32
}

func (s *flaky) attempt() error {
	if s.attempts.Add(1) <= s.refuse {
		return status.Error(s.code, "not now")
	}
	return nil
}

func (s *flaky) UnaryCall(_ context.Context, in *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return &testpb.SimpleResponse{Payload: in.GetPayload()}, s.attempt()
}

func (s *flaky) StreamingOutputCall(in *testpb.StreamingOutputCallRequest, out grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse]) error {
	if err := s.attempt(); err != nil {
		return err
	}
	return out.Send(&testpb.StreamingOutputCallResponse{Payload: in.GetPayload()})
}

func (s *flaky) FullDuplexCall(stream grpc.BidiStreamingServer[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse]) error {
	var last *testpb.Payload
	for {
		in, err := stream.Recv()
		if err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		last = in.GetPayload()
	}
	if err := s.attempt(); err != nil {
		return err
	}
	return stream.Send(&testpb.StreamingOutputCallResponse{Payload: last})
}

const retrying = `{"methodConfig": [{
	"name": [{"service": "grpc.testing.TestService"}],
	"retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.001s", "maxBackoff": "0.01s",
		"backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}
}]}`

// TestRetry checks that calls are retried as the service config says, and
// that each attempt sends the same bytes.
func TestRetry(t *testing.T) {
	t.Parallel()
	body := bytes.Repeat([]byte("dyngate "), 1<<12) // more than one buffer of grpc's
	for name, call := range map[string]func(context.Context, *dynclient.Client) ([]byte, error){
		"unary": func(ctx context.Context, c *dynclient.Client) ([]byte, error) {
			unary, err := dynclient.Unary[interopRequest, interopResponse](c, "grpc.testing.TestService/UnaryCall")
			rig.Must(t, err)
			out, err := unary(ctx, &interopRequest{Payload: &interopPayload{body}})
			if err != nil {
				return nil, err
			}
			return out.Payload.Body, nil
		},
		"invoke": func(ctx context.Context, c *dynclient.Client) ([]byte, error) {
			var out testpb.SimpleResponse
			err := c.Invoke(ctx, "grpc.testing.TestService/UnaryCall", &testpb.SimpleRequest{Payload: &testpb.Payload{Body: body}}, &out)
			return out.GetPayload().GetBody(), err
		},
		"server stream": func(ctx context.Context, c *dynclient.Client) (got []byte, err error) {
			down, err := dynclient.ServerStream[interopAsk, interopPart](c, "grpc.testing.TestService/StreamingOutputCall")
			rig.Must(t, err)
			for part, err := range down(ctx, &interopAsk{Payload: &interopPayload{body}}) {
				if err != nil {
					return got, err
				}
				got = append(got, part.Payload.Body...)
			}
			return got, nil
		},
		"bidi": func(ctx context.Context, c *dynclient.Client) (got []byte, err error) {
			chat, err := dynclient.Bidi[interopAsk, interopPart](c, "grpc.testing.TestService/FullDuplexCall")
			rig.Must(t, err)
			for part, err := range chat(ctx, each(&interopAsk{}, &interopAsk{Payload: &interopPayload{body}})) {
				if err != nil {
					return got, err
				}
				got = append(got, part.Payload.Body...)
			}
			return got, nil
		},
	} {
		for _, test := range []struct {
			name     string
			refuse   int32
			code     codes.Code
			config   string
			want     codes.Code
			attempts int32
		}{
			{"works", 3, codes.Unavailable, retrying, codes.OK, 4},
			{"too often", 4, codes.Unavailable, retrying, codes.Unavailable, 4},
			{"another code", 1, codes.Internal, retrying, codes.Internal, 1},
			{"not configured", 1, codes.Unavailable, "{}", codes.Unavailable, 1},
		} {
			t.Run(name+" "+test.name, func(t *testing.T) {
				t.Parallel()
				srv := &flaky{refuse: test.refuse, code: test.code}
				addr := rig.LocalGRPC(t, func(s *grpc.Server) { testpb.RegisterTestServiceServer(s, srv) })
				got, err := call(rig.Context(t), dialInterop(t, addr, dynclient.WithServiceConfig(test.config)))
				rig.WantCode(t, err, test.want)
				if n := srv.attempts.Load(); n != test.attempts {
					t.Errorf("%d attempts, want %d", n, test.attempts)
				}
				if err == nil && !bytes.Equal(got, body) {
					t.Errorf("the answer has %d bytes, want %d", len(got), len(body))
				}
			})
		}
	}
}

// backend is one of the servers that calls are balanced over.
type backend struct {
	testpb.UnimplementedTestServiceServer
	addr   string
	health *health.Server
	calls  atomic.Int32
}

func (b *backend) EmptyCall(context.Context, *testpb.Empty) (*testpb.Empty, error) {
	b.calls.Add(1)
	return new(testpb.Empty), nil
}

const (
	healthy   = healthpb.HealthCheckResponse_SERVING
	unhealthy = healthpb.HealthCheckResponse_NOT_SERVING
)

func startBackend(t testing.TB, status healthpb.HealthCheckResponse_ServingStatus) *backend {
	t.Helper()
	b := &backend{health: health.NewServer()}
	b.health.SetServingStatus("grpc.testing.TestService", status)
	b.addr = rig.LocalGRPC(t, func(s *grpc.Server) {
		testpb.RegisterTestServiceServer(s, b)
		healthpb.RegisterHealthServer(s, b.health)
	})
	return b
}

// TestRoundRobin balances calls over the servers that are healthy, as the
// service config says, and follows when that changes.
func TestRoundRobin(t *testing.T) {
	t.Parallel()
	well, ill := startBackend(t, healthy), startBackend(t, unhealthy)
	r := manual.NewBuilderWithScheme("both")
	r.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: well.addr}, {Addr: ill.addr}}})
	c := dialInterop(t, "both:///anything", dynclient.WithGRPC(grpc.WithResolvers(r)), dynclient.WithServiceConfig(
		`{"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": "grpc.testing.TestService"}}`))
	empty, err := dynclient.Unary[testpb.Empty, testpb.Empty](c, "grpc.testing.TestService/EmptyCall")
	rig.Must(t, err)
	ask := func() string {
		var from peer.Peer
		_, err := empty(rig.Context(t), new(testpb.Empty), grpc.WaitForReady(true), grpc.Peer(&from))
		rig.Must(t, err)
		return from.Addr.String()
	}
	for range 20 {
		if got := ask(); got != well.addr {
			t.Fatalf("%s has answered, which is not serving", got)
		}
	}
	if n := ill.calls.Load(); n != 0 {
		t.Errorf("%d calls of the server that is not serving", n)
	}
	ill.health.SetServingStatus("grpc.testing.TestService", healthy)
	rig.Eventually(t, "calls of the server that is serving now", func() bool { return ask() == ill.addr })
	first := ask()
	for i := range 10 {
		if got := ask(); (got == first) != (i%2 == 1) {
			t.Fatalf("call %d after one of %s: %s", i, first, got)
		}
	}
	well.health.SetServingStatus("grpc.testing.TestService", unhealthy)
	rig.Eventually(t, "calls of the other server only", func() bool {
		for range 4 {
			if ask() == well.addr {
				return false
			}
		}
		return true
	})
}
