package reload

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestOnReload checks the reports of reloads that a program gets.
func TestOnReload(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"a.proto": rig.ServiceProto("A")})
	var reports []dynserver.Report
	s := rig.Local(t, dynserver.Config{
		Sources:  []dynserver.Source{dynserver.Path(dir)},
		OnReload: func(r dynserver.Report) { reports = append(reports, r) },
	})
	reload := func() {
		_, err := s.Reload(t.Context())
		rig.Must(t, err)
	}
	reload() // nothing has changed: no report
	rig.Write(t, filepath.Join(dir, "b.proto"), rig.ServiceProto("B"))
	reload()
	rig.Write(t, filepath.Join(dir, "b.proto"), "broken")
	reload()
	if len(reports) != 3 {
		t.Fatalf("got %d reports: %+v", len(reports), reports)
	}
	if r := reports[0]; !r.Applied || r.Generation != 1 || !slices.Equal(r.Added, []string{"p.A"}) {
		t.Errorf("start: %+v", r)
	}
	if r := reports[1]; !r.Applied || r.Generation != 2 || !slices.Equal(r.Added, []string{"p.B"}) || len(r.Stale) > 0 {
		t.Errorf("drop: %+v", r)
	}
	if r := reports[2]; !slices.Equal(r.Stale, []string{"p.B"}) || len(r.Diagnostics) == 0 || r.Diagnostics[0].Line != 1 {
		t.Errorf("break: %+v", r)
	}
}

// TestOnReloadStale reloads while a service is stale and nothing changes: there is
// no report.
func TestOnReloadStale(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"a.proto": rig.ServiceProto("A"), "b.proto": rig.ServiceProto("B")})
	reports := 0
	s := rig.Local(t, dynserver.Config{
		Sources:  []dynserver.Source{dynserver.Path(dir)},
		OnReload: func(dynserver.Report) { reports++ },
	})
	rig.Write(t, filepath.Join(dir, "a.proto"), rig.ServiceProto("A")+"broken")
	first, err := s.Reload(t.Context())
	rig.Must(t, err)
	if !slices.Equal(first.Stale, []string{"p.A"}) || reports != 2 {
		t.Fatalf("%d reports, the last %+v", reports, first)
	}
	for range 3 {
		r, err := s.Reload(t.Context())
		rig.Must(t, err)
		if r.Applied || r.Generation != first.Generation || r.Changed != nil || r.New != nil || !slices.Equal(r.Stale, first.Stale) || reports != 2 {
			t.Fatalf("nothing has changed, but there are %d reports, the last %+v", reports, r)
		}
	}
	rig.Write(t, filepath.Join(dir, "b.proto"), rig.ServiceProto("C"))
	r, err := s.Reload(t.Context())
	rig.Must(t, err)
	if !r.Applied || !slices.Equal(r.Added, []string{"p.C"}) || !slices.Equal(r.Stale, first.Stale) || reports != 3 {
		t.Errorf("%d reports, the last %+v", reports, r)
	}
}

// TestBindFaults checks that an implementation which panics or fails while it
// is bound fails the start, and that a reload keeps the old one.
func TestBindFaults(t *testing.T) {
	t.Parallel()
	panics := handlers.ImplementationFunc(func(m *handlers.Method) (handlers.Handler, error) {
		if m.Input().Fields().ByName("poison") != nil {
			panic("cannot bind")
		}
		return handlers.Unary(lab.HandleEcho).Bind(m)
	})
	proto := `syntax = "proto3"; package b; service B { rpc Do(M) returns (M); }
message M { string text = 1; map<string, string> labels = 2; M child = 3; int32 number = 4; bytes data = 5; `
	register := func(reg *handlers.Registry) { reg.Handle("b.B/Do", panics) }
	_, err := rig.New(t, rig.Config(t, proto+"int32 poison = 9; }", register))
	rig.WantText(t, fmt.Sprint(err), "b.B/Do", "cannot bind", "test.proto:1:")

	dir := rig.Folder(t, map[string]string{"test.proto": proto + "}"})
	config := rig.Config(t, "", register)
	config.Sources = []dynserver.Source{dynserver.Path(dir)}
	s := rig.Local(t, config)
	rig.Write(t, filepath.Join(dir, "test.proto"), proto+"int32 poison = 9; }")
	report, err := s.Reload(t.Context())
	rig.Must(t, err)
	rig.WantText(t, diag.Render(report.Diagnostics), "cannot bind")
	_, err = rig.Invoke(rig.Context(t), s.Conn, "/b.B/Do", nil)
	rig.Must(t, err)
	res, err := healthpb.NewHealthClient(s.Conn).Check(rig.Context(t), &healthpb.HealthCheckRequest{Service: "b.B"})
	if err != nil || res.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("health of a stale service: %v, %v", res, err)
	}
}
