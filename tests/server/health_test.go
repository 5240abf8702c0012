package server

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

const (
	serving    = healthpb.HealthCheckResponse_SERVING
	notServing = healthpb.HealthCheckResponse_NOT_SERVING
	unknown    = healthpb.HealthCheckResponse_SERVICE_UNKNOWN
)

const idleProto = `syntax = "proto3";
package idle;
service Idle { rpc Do(M) returns (M); }
message M {}
`

// TestHealth checks Check and List: a service without handlers is
// NOT_SERVING.
func TestHealth(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"lab.proto": lab.Proto, "idle.proto": idleProto})
	config := rig.Config(t, lab.Proto, lab.Register)
	config.Sources = []dynserver.Source{dynserver.Path(dir)}
	client := healthpb.NewHealthClient(rig.Local(t, config).Conn)
	for service, want := range map[string]healthpb.HealthCheckResponse_ServingStatus{
		"": serving, "lab.Lab": serving, "idle.Idle": notServing,
	} {
		res, err := client.Check(rig.Context(t), &healthpb.HealthCheckRequest{Service: service})
		if err != nil || res.GetStatus() != want {
			t.Errorf("%q: got %v, %v, want %v", service, res, err, want)
		}
	}
	for _, service := range []string{"lab", "lab.Lab/Echo", "no.Such"} {
		_, err := client.Check(rig.Context(t), &healthpb.HealthCheckRequest{Service: service})
		rig.WantCode(t, err, codes.NotFound)
	}
	list, err := client.List(rig.Context(t), &healthpb.HealthListRequest{})
	rig.Must(t, err)
	if got := slices.Sorted(maps.Keys(list.GetStatuses())); !slices.Equal(got, []string{"", "idle.Idle", "lab.Lab"}) {
		t.Errorf("listed: %q", got)
	}
}

// watcher follows the health of one service.
type watcher struct {
	t      testing.TB
	stream healthpb.Health_WatchClient
}

func watch(ctx context.Context, t testing.TB, client healthpb.HealthClient, service string) watcher {
	t.Helper()
	stream, err := client.Watch(ctx, &healthpb.HealthCheckRequest{Service: service})
	rig.Must(t, err)
	return watcher{t, stream}
}

func (w watcher) want(want healthpb.HealthCheckResponse_ServingStatus) {
	w.t.Helper()
	res, err := w.stream.Recv()
	if err != nil || res.GetStatus() != want {
		w.t.Fatalf("got %v, %v, want %v", res, err, want)
	}
}

// TestHealthWatch follows services that come, break, go and drain.
func TestHealthWatch(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"lab.proto": lab.Proto})
	config := rig.Config(t, lab.Proto, lab.Register)
	config.Sources, config.Watch = []dynserver.Source{dynserver.Path(dir)}, true
	config.Handlers.Handle("later.Later", handlers.Unary(lab.HandleEcho))
	s := rig.Local(t, config)
	client := healthpb.NewHealthClient(s.Conn)
	all := watch(t.Context(), t, client, "")
	all.want(serving)
	lab := watch(t.Context(), t, client, "lab.Lab")
	lab.want(serving)
	later := watch(t.Context(), t, client, "later.Later")
	later.want(unknown)

	path := filepath.Join(dir, "later.proto")
	rig.Replace(t, path, laterProto)
	later.want(serving)
	rig.Replace(t, path, laterProto+"broken")
	rig.Eventually(t, "later.Later to be stale", func() bool {
		return slices.ContainsFunc(s.Services(), func(i dynserver.ServiceInfo) bool { return i.Name == "later.Later" && len(i.Stale) > 0 })
	})
	rig.Replace(t, path, `syntax = "proto3";`) // a stale service is SERVING, so the watch sent nothing
	later.want(unknown)

	s.Stop()
	all.want(notServing)
	lab.want(notServing)
	for _, w := range []watcher{all, lab, later} {
		_, err := w.stream.Recv()
		rig.WantCode(t, err, codes.Unavailable)
	}
	if err := <-s.Served; err != nil {
		t.Error(err)
	}
	_, err := client.Check(rig.Context(t), &healthpb.HealthCheckRequest{})
	if status.Code(err) == codes.OK {
		t.Error("answers after Serve has returned")
	}
}

const laterProto = `syntax = "proto3";
package later;
service Later { rpc Do(M) returns (M); }
message M { string text = 1; map<string, string> labels = 2; M child = 3; int32 number = 4; bytes data = 5; }
`
