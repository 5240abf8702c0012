package tests

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
)

// TestOwnServicesAreDispatched calls the services that the server itself answers
// through middleware and the access log, as all others are.
func TestOwnServicesAreDispatched(t *testing.T) {
	t.Parallel()
	var seen journal
	s := startLab(t, func(c *dynserver.Config) {
		c.Middleware = []handlers.Middleware{func(next handlers.Handler) handlers.Handler {
			return handlers.HandlerFunc(func(ctx context.Context, call handlers.Call) error {
				seen.add("%s by %s", handlers.CallFrom(ctx).Method().Path(), call.Peer().Protocol)
				return next.ServeRPC(ctx, call)
			})
		}}
	})
	_, err := healthpb.NewHealthClient(s.conn).Check(timeout(t), new(healthpb.HealthCheckRequest))
	must(t, err)
	stream := reflectionStream(t, s.conn)
	must(t, stream.Send(&reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
	}))
	_, err = stream.Recv()
	must(t, err)
	must(t, stream.CloseSend())
	want := []string{"grpc.health.v1.Health/Check by grpc", "grpc.reflection.v1.ServerReflection/ServerReflectionInfo by grpc"}
	if got := seen.all(); !slices.Equal(got, want) {
		t.Errorf("middleware has seen %q, want %q", got, want)
	}
	_, err = invoke(timeout(t), s.conn, "/grpc.health.v1.Health/Chek", nil)
	wantCode(t, err, codes.Unimplemented)
	contains(t, errText(err), "did you mean Check?")
	for _, svc := range s.Services() {
		if strings.HasPrefix(svc.Name, "grpc.") {
			t.Errorf("%s is listed among the services of the schema", svc.Name)
		}
	}
}

// TestOwnStreamsHoldNothing keeps streams of the server's own services open: what
// older generations need is released all the same, and a shutdown ends them.
func TestOwnStreamsHoldNothing(t *testing.T) {
	t.Parallel()
	p := new(turns)
	s := startLab(t, func(c *dynserver.Config) { c.Providers = []handlers.Provider{p} })
	health := watch(timeout(t), t, healthpb.NewHealthClient(s.conn), "")
	health.want(serving)
	stream := reflectionStream(t, s.conn)
	must(t, stream.Send(&reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
	}))
	_, err := stream.Recv()
	must(t, err)
	_, err = s.Reload(t.Context())
	must(t, err)
	eventually(t, "the first load to be released", func() bool { return p.all()[0].released.Load() == 1 })
	s.stop()
	_, err = stream.Recv()
	wantCode(t, err, codes.Unavailable)
	health.want(notServing)
	if err := <-s.served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// TestDefaultDeadlineSparesHealth lets a watch of health outlive the deadline
// that other streams have. Neither brings one of its own.
func TestDefaultDeadlineSparesHealth(t *testing.T) {
	t.Parallel()
	s := startLab(t, func(c *dynserver.Config) {
		c.Middleware = []handlers.Middleware{handlers.DefaultDeadline(10 * time.Millisecond)}
	})
	health := watch(t.Context(), t, healthpb.NewHealthClient(s.conn), "")
	health.want(serving)
	held := open(t.Context(), t, s.conn, labHold).send(nil).done()
	for {
		if _, err := held.recv(); err != nil {
			wantCode(t, err, codes.DeadlineExceeded)
			break
		}
	}
	s.stop()
	health.want(notServing)
}

func reflectionStream(t testing.TB, conn grpc.ClientConnInterface) reflectionpb.ServerReflection_ServerReflectionInfoClient {
	t.Helper()
	stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(timeout(t))
	must(t, err)
	return stream
}
