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

// TestHelp checks that what the help says can be done is there.
func TestHelp(t *testing.T) {
	t.Parallel()
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
	contains(t, dynserver.RenderDiagnostics(report.Diagnostics), "cannot bind")
	_, err = invoke(timeout(t), s.conn, "/b.B/Do", nil)
	must(t, err)
	res, err := healthpb.NewHealthClient(s.conn).Check(timeout(t), &healthpb.HealthCheckRequest{Service: "b.B"})
	if err != nil || res.GetStatus() != serving {
		t.Errorf("health of a stale service: %v, %v", res, err)
	}
}
