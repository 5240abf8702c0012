package server

import (
	"context"
	"fmt"
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
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestOwnServicesAreDispatched calls the services that the server itself answers
// through middleware and the access log, as all others are.
func TestOwnServicesAreDispatched(t *testing.T) {
	t.Parallel()
	var seen journal
	s := lab.Start(t, func(c *dynserver.Config) {
		c.Middleware = []handlers.Middleware{func(next handlers.Handler) handlers.Handler {
			return handlers.HandlerFunc(func(ctx context.Context, call handlers.Call) error {
				seen.add("%s by %s", handlers.CallFrom(ctx).Method().Path(), call.Peer().Protocol)
				return next.ServeRPC(ctx, call)
			})
		}}
	})
	_, err := healthpb.NewHealthClient(s.Conn).Check(rig.Context(t), new(healthpb.HealthCheckRequest))
	rig.Must(t, err)
	stream := reflectionStream(t, s.Conn)
	rig.Must(t, stream.Send(&reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
	}))
	_, err = stream.Recv()
	rig.Must(t, err)
	rig.Must(t, stream.CloseSend())
	want := []string{"grpc.health.v1.Health/Check by grpc", "grpc.reflection.v1.ServerReflection/ServerReflectionInfo by grpc"}
	if got := seen.all(); !slices.Equal(got, want) {
		t.Errorf("middleware has seen %q, want %q", got, want)
	}
	_, err = rig.Invoke(rig.Context(t), s.Conn, "/grpc.health.v1.Health/Chek", nil)
	rig.WantCode(t, err, codes.Unimplemented)
	rig.WantText(t, fmt.Sprint(err), `(did you mean "Check"?)`)
	for _, svc := range s.Services() {
		if strings.HasPrefix(svc.Name, "grpc.") {
			t.Errorf("%s is listed among the services of the schema", svc.Name)
		}
	}
}

// TestDefaultDeadlineSparesHealth lets a watch of health outlive the deadline
// that other streams have. The client sets no deadline for either.
func TestDefaultDeadlineSparesHealth(t *testing.T) {
	t.Parallel()
	s := lab.Start(t, func(c *dynserver.Config) {
		c.Middleware = []handlers.Middleware{handlers.DefaultDeadline(10 * time.Millisecond)}
	})
	health := watch(t.Context(), t, healthpb.NewHealthClient(s.Conn), "")
	health.want(serving)
	held := rig.Open(t.Context(), t, s.Conn, lab.Hold).Send(nil).Done()
	for {
		if _, err := held.Recv(); err != nil {
			rig.WantCode(t, err, codes.DeadlineExceeded)
			break
		}
	}
	s.Stop()
	health.want(notServing)
}

func reflectionStream(t testing.TB, conn grpc.ClientConnInterface) reflectionpb.ServerReflection_ServerReflectionInfoClient {
	t.Helper()
	stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(rig.Context(t))
	rig.Must(t, err)
	return stream
}
