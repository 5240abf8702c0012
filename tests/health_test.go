package tests

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

// TestHealth checks Check and List: a service that nothing answers does not
// serve.
func TestHealth(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"lab.proto": labProto, "idle.proto": idleProto})
	config := protoConfig(t, labProto, registerLab)
	config.Sources = []dynserver.Source{dynserver.Path(dir)}
	client := healthpb.NewHealthClient(startLocal(t, config).conn)
	for service, want := range map[string]healthpb.HealthCheckResponse_ServingStatus{
		"": serving, "lab.Lab": serving, "idle.Idle": notServing,
	} {
		res, err := client.Check(timeout(t), &healthpb.HealthCheckRequest{Service: service})
		if err != nil || res.GetStatus() != want {
			t.Errorf("%q: got %v, %v, want %v", service, res, err, want)
		}
	}
	for _, service := range []string{"lab", "lab.Lab/Echo", "no.Such"} {
		_, err := client.Check(timeout(t), &healthpb.HealthCheckRequest{Service: service})
		wantCode(t, err, codes.NotFound)
	}
	list, err := client.List(timeout(t), &healthpb.HealthListRequest{})
	must(t, err)
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
	must(t, err)
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
	dir := folder(t, map[string]string{"lab.proto": labProto})
	config := protoConfig(t, labProto, registerLab)
	config.Sources, config.Watch = []dynserver.Source{dynserver.Path(dir)}, true
	config.Handlers.Handle("later.Later", handlers.Unary(labEchoes))
	s := startLocal(t, config)
	client := healthpb.NewHealthClient(s.conn)
	all := watch(t.Context(), t, client, "")
	all.want(serving)
	lab := watch(t.Context(), t, client, "lab.Lab")
	lab.want(serving)
	later := watch(t.Context(), t, client, "later.Later")
	later.want(unknown)

	path := filepath.Join(dir, "later.proto")
	replace(t, path, laterProto)
	later.want(serving)
	replace(t, path, laterProto+"broken")
	s.await(t, "later.Later to be stale", func(i dynserver.ServiceInfo) bool { return i.Name == "later.Later" && len(i.Stale) > 0 })
	replace(t, path, `syntax = "proto3";`) // it serves while it is stale, so nothing was told
	later.want(unknown)

	s.stop()
	all.want(notServing)
	lab.want(notServing)
	for _, w := range []watcher{all, lab, later} {
		_, err := w.stream.Recv()
		wantCode(t, err, codes.Unavailable)
	}
	if err := <-s.served; err != nil {
		t.Error(err)
	}
	_, err := client.Check(timeout(t), &healthpb.HealthCheckRequest{})
	if status.Code(err) == codes.OK {
		t.Error("answers after Serve has returned")
	}
}

const laterProto = `syntax = "proto3";
package later;
service Later { rpc Do(M) returns (M); }
message M { string text = 1; map<string, string> labels = 2; M child = 3; int32 number = 4; bytes data = 5; }
`

// await waits until a service is as wanted.
func (s *local) await(t testing.TB, what string, ok func(dynserver.ServiceInfo) bool) {
	t.Helper()
	eventually(t, what, func() bool { return slices.ContainsFunc(s.Services(), ok) })
}
