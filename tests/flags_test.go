package tests

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
)

// TestFlags checks that the flags of `dyngate serve` which no other test needs
// reach the server.
func TestFlags(t *testing.T) {
	t.Parallel()
	const channelz = "/grpc.channelz.v1.Channelz/GetServers"
	features := folder(t, map[string]string{"f.json": `[{"location": {"latitude": 1, "longitude": 2}, "name": "here"}]`})
	point := slices.Concat(number(1, 1), number(2, 2))
	for name, test := range map[string]struct {
		args []string
		path string
		in   []byte
		want codes.Code
		text string // field 1 of the answer
	}{
		"nothing":           {nil, "/RouteGuide/GetFeature", point, codes.OK, ""},
		"features":          {[]string{"--features", filepath.Join(features, "f.json")}, "/RouteGuide/GetFeature", point, codes.OK, "here"},
		"no channelz":       {nil, channelz, nil, codes.Unimplemented, ""},
		"channelz":          {[]string{"--channelz"}, channelz, nil, codes.OK, ""},
		"receive limit":     {[]string{"--max-recv-bytes", "10"}, sayHello, text(1, "a long name"), codes.ResourceExhausted, ""},
		"send limit":        {[]string{"--max-send-bytes", "10"}, sayHello, text(1, "a long name"), codes.ResourceExhausted, ""},
		"no stream workers": {[]string{"--stream-workers", "-1"}, sayHello, text(1, "you"), codes.OK, "hello you"},
		"polling":           {[]string{"--poll", "10ms"}, sayHello, text(1, "you"), codes.OK, "hello you"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := serve(t, test.args...)
			out, err := invoke(timeout(t), dial(t, p.addr()), test.path, test.in)
			wantCode(t, err, test.want)
			if got := textOf(out, 1); test.text != "" && got != test.text {
				t.Errorf("got %q, want %q", got, test.text)
			}
		})
	}
	t.Run("drop comments", func(t *testing.T) {
		t.Parallel()
		p := serve(t, "--drop-comments")
		if got := comment(t, dial(t, p.addr()), "Cal"); got != "" {
			t.Errorf("reflection has the comment %q", got)
		}
	})
	t.Run("loopback port", func(t *testing.T) {
		t.Parallel()
		if p := serve(t, "--grpc", "0"); !strings.HasPrefix(p.addr(), "127.0.0.1:") {
			t.Errorf("listens on %s", p.addr())
		}
	})
}

// TestBadFlags gives flags values that make no sense. None is taken for its
// default, and all are named at once.
func TestBadFlags(t *testing.T) {
	t.Parallel()
	bad := [][2]string{
		{"--task-interval", "-1s"},
		{"--task-interval", "0"},
		{"--grpc", ""},
		{"--max-recv-bytes", "-1"},
		{"--max-send-bytes", "-1"},
		{"--access-log", "7"},
		{"--access-log", "-0.5"},
		{"--access-log", "NaN"},
		{"--poll", "-1s"},
		{"--drain", "-1s"},
		{"--default-deadline", "-1s"},
		{"--connection-timeout", "-1s"},
		{"--ping-after-idle", "-1s"},
		{"--max-connection-age", "-1s"},
		{"--log-level", "loud"},
		{"--log-format", "xml"},
		{"--max-concurrent-streams", "-1"},
	}
	for _, flag := range bad {
		t.Run(strings.Join(flag[:], "="), func(t *testing.T) {
			t.Parallel()
			contains(t, refuseWith(t, 2, flag[0], flag[1]), flag[0])
		})
	}
	t.Run("all at once", func(t *testing.T) {
		t.Parallel()
		var args, names []string
		for _, flag := range bad[:len(bad)-3] { // parsing ends at the others
			args, names = append(args, flag[0], flag[1]), append(names, flag[0])
		}
		contains(t, refuseWith(t, 2, args...), names...)
	})
}

// TestHelp checks that what the help says can be done is there.
func TestHelp(t *testing.T) {
	t.Parallel()
	sourceIsInput()
	out, err := exec.CommandContext(timeout(t), dyngate, "serve", "--help").Output()
	must(t, err)
	contains(t, string(out), "dyngate serve", "PATH", "SIGHUP", "--grpc", "--drain", "--strict-reload")
}

// TestOnReload checks what a program is told about reloads.
func TestOnReload(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"a.proto": serviceProto("A")})
	var reports []dynserver.Report
	s := startLocal(t, dynserver.Config{
		Sources:  []dynserver.Source{dynserver.Path(dir)},
		OnReload: func(r dynserver.Report) { reports = append(reports, r) },
	})
	reload := func() {
		_, err := s.Reload(t.Context())
		must(t, err)
	}
	reload() // nothing has changed: nothing is told
	write(t, filepath.Join(dir, "b.proto"), serviceProto("B"))
	reload()
	write(t, filepath.Join(dir, "b.proto"), "broken")
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

// TestOnReloadStale reloads while a service is stale and nothing changes: that
// is nothing new either.
func TestOnReloadStale(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"a.proto": serviceProto("A"), "b.proto": serviceProto("B")})
	told := 0
	s := startLocal(t, dynserver.Config{
		Sources:  []dynserver.Source{dynserver.Path(dir)},
		OnReload: func(dynserver.Report) { told++ },
	})
	write(t, filepath.Join(dir, "a.proto"), serviceProto("A")+"broken")
	first, err := s.Reload(t.Context())
	must(t, err)
	if !slices.Equal(first.Stale, []string{"p.A"}) || told != 2 {
		t.Fatalf("told %d times, lastly of %+v", told, first)
	}
	for range 3 {
		r, err := s.Reload(t.Context())
		must(t, err)
		if r.Applied || r.Generation != first.Generation || r.Changed != nil || r.New != nil || !slices.Equal(r.Stale, first.Stale) || told != 2 {
			t.Fatalf("nothing has changed, but told %d times, lastly of %+v", told, r)
		}
	}
	write(t, filepath.Join(dir, "b.proto"), serviceProto("C"))
	r, err := s.Reload(t.Context())
	must(t, err)
	if !r.Applied || !slices.Equal(r.Added, []string{"p.C"}) || !slices.Equal(r.Stale, first.Stale) || told != 3 {
		t.Errorf("told %d times, lastly of %+v", told, r)
	}
}

// TestBindFaults checks that an implementation which panics or fails while it
// is bound keeps its service from starting, and later leaves the old one alone.
func TestBindFaults(t *testing.T) {
	t.Parallel()
	panics := handlers.ImplementationFunc(func(m *handlers.Method) (handlers.Handler, error) {
		if m.Input().Fields().ByName("poison") != nil {
			panic("cannot bind")
		}
		return handlers.Unary(labEchoes).Bind(m)
	})
	proto := `syntax = "proto3"; package b; service B { rpc Do(M) returns (M); }
message M { string text = 1; map<string, string> labels = 2; M child = 3; int32 number = 4; bytes data = 5; `
	register := func(reg *handlers.Registry) { reg.Handle("b.B/Do", panics) }
	_, err := newServer(t, protoConfig(t, proto+"int32 poison = 9; }", register))
	contains(t, errText(err), "b.B/Do", "cannot bind", "test.proto:1:")

	dir := folder(t, map[string]string{"test.proto": proto + "}"})
	config := protoConfig(t, "", register)
	config.Sources = []dynserver.Source{dynserver.Path(dir)}
	s := startLocal(t, config)
	write(t, filepath.Join(dir, "test.proto"), proto+"int32 poison = 9; }")
	report, err := s.Reload(t.Context())
	must(t, err)
	contains(t, diag.Render(report.Diagnostics), "cannot bind")
	_, err = invoke(timeout(t), s.conn, "/b.B/Do", nil)
	must(t, err)
	res, err := healthpb.NewHealthClient(s.conn).Check(timeout(t), &healthpb.HealthCheckRequest{Service: "b.B"})
	if err != nil || res.GetStatus() != serving {
		t.Errorf("health of a stale service: %v, %v", res, err)
	}
}
