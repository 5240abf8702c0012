package dispatch

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/internal/schema"
)

// bench is a folder of .proto files and the generations made of it.
type bench struct {
	t        *testing.T
	dir      string
	compiler *schema.Compiler
	builder  Builder
	registry *handlers.Registry
	input    Input
	current  *Generation
	diags    []*diag.Diagnostic
}

func newBench(t *testing.T, reg *handlers.Registry) *bench {
	dir := t.TempDir()
	return &bench{
		t: t, dir: dir,
		compiler: schema.New(schema.Options{Sources: []schema.Source{schema.Path(dir)}}),
		builder:  Builder{Log: slog.New(slog.DiscardHandler)},
		registry: reg,
	}
}

// reload writes files (an empty text removes one) and builds the next
// generation.
func (b *bench) reload(files map[string]string) *Generation {
	b.t.Helper()
	return b.while(files, 0)
}

// while is reload, but takes files that changed within the given time to be half
// written.
func (b *bench) while(files map[string]string, settling time.Duration) *Generation {
	b.t.Helper()
	for name, text := range files {
		path := filepath.Join(b.dir, name)
		if text == "" {
			if err := os.Remove(path); err != nil {
				b.t.Fatal(err)
			}
		} else if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
	snap, err := b.compiler.Compile(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	answers, wrong := b.registry.Load(b.t.Context())
	b.input.Leases = []*Lease{NewLease(answers.Registrations(), answers.Release)}
	b.input.Snapshot, b.input.Since = snap, time.Now().Add(-settling)
	b.current, b.diags = b.builder.Build(b.current, b.input)
	b.diags = append(b.diags, wrong...)
	return b.current
}

// state lists the services, stale ones with a star.
func state(g *Generation) string {
	var out []string
	for _, s := range g.Services {
		name := string(s.Desc.FullName())
		if len(s.Stale) > 0 {
			name += "*"
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

func service(name, body string) string {
	return `syntax = "proto3"; package p; message ` + name + `Msg { string name = 1; } service ` + name +
		` { rpc Call(` + name + `Msg) returns (` + name + `Msg); ` + body + `}`
}

var echo = handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) {
	return handlers.HandlerFunc(func(_ context.Context, call handlers.Call) error {
		data, err := call.Recv()
		if err != nil {
			return err
		}
		return call.Send(data)
	}), nil
})

func TestBrokenServicesKeepTheirLastGoodVersion(t *testing.T) {
	reg := handlers.NewRegistry()
	reg.Handle("**", echo)
	b := newBench(t, reg)
	expect := func(g *Generation, want string, errs int) {
		t.Helper()
		if got := state(g); got != want {
			t.Errorf("services %q, want %q", got, want)
		}
		if len(b.diags) < errs || (errs == 0) != (len(b.diags) == 0) {
			t.Errorf("diagnostics %v, want at least %d", b.diags, errs)
		}
	}
	first := b.reload(map[string]string{"a.proto": service("A", ""), "b.proto": service("B", "")})
	expect(first, "p.A p.B", 0)

	broken := b.reload(map[string]string{"a.proto": "syntax = \"proto3\"; package p; service A { rpc Cal"})
	expect(broken, "p.A* p.B", 1)
	if broken.Route("/p.A/Call").Route != first.Route("/p.A/Call").Route {
		t.Error("the stale service's route was made anew")
	}
	if broken.Service("p.B") != first.Service("p.B") {
		t.Error("the good service was made anew")
	}
	expect(b.reload(map[string]string{"c.proto": service("C", "")}), "p.A* p.B p.C", 1)
	expect(b.reload(map[string]string{"a.proto": service("A", "rpc More(AMsg) returns (AMsg);")}), "p.A p.B p.C", 0)
	expect(b.reload(map[string]string{"b.proto": "", "c.proto": ""}), "p.A", 0)
	expect(b.reload(map[string]string{"a.proto": "", "moved.proto": service("A", "")}), "p.A", 0)
}

func TestBrokenImportMakesStale(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	good := `syntax = "proto3"; package p; import "dep.proto"; service A { rpc Call(Dep) returns (Dep); }`
	b.reload(map[string]string{"dep.proto": `syntax = "proto3"; package p; message Dep {}`, "a.proto": good})
	if got := state(b.reload(map[string]string{"dep.proto": `syntax = "proto3"; package p; message Dep {`})); got != "p.A*" {
		t.Errorf("services %q", got)
	}
	if got := state(b.reload(map[string]string{"dep.proto": ""})); got != "p.A*" {
		t.Errorf("services %q after the import went", got)
	}
}

func TestServiceDeclaredTwiceKeepsTheFirst(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	first := b.reload(map[string]string{"a.proto": service("A", "")})
	twice := b.reload(map[string]string{"b.proto": service("A", "rpc More(AMsg) returns (AMsg);")})
	if got := state(twice); got != "p.A*" || twice.Route("/p.A/Call").Route != first.Route("/p.A/Call").Route {
		t.Errorf("services %q", got)
	}
	if got := state(newGenerationOf(b)); got != "" {
		t.Errorf("a first start serves %q, want neither", got)
	}
}

func newGenerationOf(b *bench) *Generation {
	g, _ := b.builder.Build(nil, b.input)
	return g
}

// TestServiceThatMovedWhileBrokenStays has its file go from bad to worse where
// it moved.
func TestServiceThatMovedWhileBrokenStays(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	first := b.reload(map[string]string{"a.proto": service("A", "")})
	wrong := strings.Replace(service("A", ""), "string name", "strin name", 1)
	if got := state(b.reload(map[string]string{"a.proto": "", "b.proto": wrong})); got != "p.A*" {
		t.Errorf("services %q after the move", got)
	}
	worse := b.reload(map[string]string{"b.proto": "\x00\x01\x02"})
	if got := state(worse); got != "p.A*" || worse.Route("/p.A/Call").Route != first.Route("/p.A/Call").Route {
		t.Errorf("services %q", got)
	}
	if got := state(b.reload(map[string]string{"b.proto": ""})); got != "" {
		t.Errorf("services %q after its file went", got)
	}
}

func TestStaleServiceIsSharedWhileNothingChanges(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	b.reload(map[string]string{"a.proto": service("A", "")})
	stale := b.reload(map[string]string{"a.proto": "syntax ="}).Service("p.A")
	if again := b.reload(map[string]string{"b.proto": service("B", "")}).Service("p.A"); again != stale {
		t.Error("the stale service was made anew")
	}
}

func TestMistakesOfLaterRegistrationsAreReported(t *testing.T) {
	reg := handlers.NewRegistry()
	b := newBench(t, reg)
	b.reload(map[string]string{"a.proto": service("A", "")})
	reg.Handle("no such pattern", echo)
	reg.Handle("p.A", handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) { return nil, nil }))
	if got := state(b.reload(nil)); got != "p.A*" || len(b.diags) != 2 {
		t.Errorf("services %q, diagnostics %v", got, b.diags)
	}
}

func TestHandlerThatNoLongerFitsMakesStale(t *testing.T) {
	reg := handlers.NewRegistry()
	reg.Handle("p.A", handlers.ImplementationFunc(func(m *handlers.Method) (handlers.Handler, error) {
		if m.Input().Fields().ByName("name") == nil {
			return nil, errors.New("field name is missing")
		}
		return echo(m)
	}))
	b := newBench(t, reg)
	b.reload(map[string]string{"a.proto": service("A", "")})
	renamed := strings.ReplaceAll(service("A", ""), "string name", "string nom")
	if got := state(b.reload(map[string]string{"a.proto": renamed})); got != "p.A*" {
		t.Errorf("services %q", got)
	}
	if len(b.diags) != 1 || b.diags[0].Line != 1 || !strings.Contains(b.diags[0].Message,
		`method p.A/Call does not fit its handler, registered as "p.A" at build_test.go:`) {
		t.Errorf("diagnostics %v", b.diags)
	}
	if got := state(newGenerationOf(b)); got != "" {
		t.Errorf("a first start serves %q", got)
	}
}

func TestReservedServicesAreNotServed(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	own := handlers.NewRegistry()
	healthpb.RegisterHealthServer(own, health.NewServer())
	b.builder.Own = own.All()
	declared := strings.Replace(service("Health", ""), "package p;", "package grpc.health.v1;", 1)
	if got := state(b.reload(map[string]string{"a.proto": declared})); got != "" || len(b.diags) != 1 {
		t.Errorf("services %q, diagnostics %v", got, b.diags)
	}
	if b.current.Route("/grpc.health.v1.Health/Check") == nil || b.current.Route("/grpc.health.v1.Health/Call") != nil {
		t.Error("the schema's declaration is served")
	}
}

func TestBindingThatPanicsIsAnError(t *testing.T) {
	reg := handlers.NewRegistry()
	reg.Handle("**", handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) { panic("oh no") }))
	b := newBench(t, reg)
	b.reload(map[string]string{"a.proto": service("A", "")})
	if len(b.diags) != 1 || !strings.Contains(b.diags[0].Message, "oh no") {
		t.Errorf("diagnostics %v", b.diags)
	}
}

func TestUnknownNamesWhatIsNear(t *testing.T) {
	b := newBench(t, handlers.NewRegistry())
	g := b.reload(map[string]string{"a.proto": service("Greeter", "")})
	for path, want := range map[string]string{
		"/p.Greter/Call":                `unknown service "p.Greter" (did you mean "p.Greeter"?)`,
		"/Greeter/Call":                 `unknown service "Greeter" (did you mean "p.Greeter"?)`,
		"/p.Greeter/Cal":                `unknown method "Cal" of service p.Greeter (did you mean "Call"?)`,
		"/p.Greeter/Zzzzzzz":            `unknown method "Zzzzzzz" of service p.Greeter`,
		"/":                             `unknown service ""`,
		"/" + strings.Repeat("a", 1000): strings.Repeat("a", 100) + `..."`,
		"/p.Greeter/\x00\n":             `unknown method "\x00\n" of service p.Greeter`,
		"/p.Greeter/Call/" + "x":        `unknown method "Call/x" of service p.Greeter (did you mean "Call"?)`,
	} {
		err := g.Unknown(path)
		if status.Code(err) != codes.Unimplemented || !strings.HasSuffix(status.Convert(err).Message(), want) {
			t.Errorf("Unknown(%.30q) = %v, want %s", path, err, want)
		}
	}
}

// wire is a handlers.Call as a front makes it.
type wire struct {
	handlers.Call // for what the tests do not use
	method        *handlers.Method
	in            int    // requests to come
	data          string // of each
	out           int    // responses that left
}

func (w *wire) Method() *handlers.Method { return w.method }

func (w *wire) Recv() (mem.BufferSlice, error) {
	if w.in == 0 {
		return nil, io.EOF
	}
	w.in--
	return mem.BufferSlice{mem.SliceBuffer(cmp.Or(w.data, "x"))}, nil
}

func (w *wire) Send(data mem.BufferSlice) error {
	data.Free()
	w.out++
	return nil
}

func TestCardinalityIsKeptToTheLetter(t *testing.T) {
	const methods = `rpc S(AMsg) returns (stream AMsg); rpc C(stream AMsg) returns (AMsg); rpc B(stream AMsg) returns (stream AMsg);`
	plan := map[string]int{} // how many responses the handler sends
	reads := true
	reg := handlers.NewRegistry()
	reg.Handle("**", handlers.ImplementationFunc(func(m *handlers.Method) (handlers.Handler, error) {
		return handlers.HandlerFunc(func(_ context.Context, call handlers.Call) error {
			for reads {
				data, err := call.Recv()
				if err == io.EOF {
					break
				}
				if err != nil {
					return err
				}
				data.Free()
			}
			for range plan[string(m.Name())] {
				_ = call.Send(mem.BufferSlice{mem.SliceBuffer("y")}) // a handler that does not look
			}
			return nil
		}), nil
	}))
	g := newBench(t, reg).reload(map[string]string{"a.proto": service("A", methods)})
	for _, tt := range []struct {
		method    string
		in, sends int
		code      codes.Code
		out       int
	}{
		{"Call", 1, 1, codes.OK, 1},
		{"Call", 0, 1, codes.Unimplemented, 0},
		{"Call", 2, 1, codes.Unimplemented, 0},
		{"Call", 1, 0, codes.Internal, 0},
		{"Call", 1, 2, codes.Internal, 0},
		{"S", 1, 3, codes.OK, 3},
		{"S", 1, 0, codes.OK, 0},
		{"S", 0, 0, codes.Unimplemented, 0},
		{"S", 2, 0, codes.Unimplemented, 0},
		{"C", 0, 1, codes.OK, 1},
		{"C", 3, 1, codes.OK, 1},
		{"C", 3, 0, codes.Internal, 0},
		{"C", 3, 2, codes.Internal, 0},
		{"B", 0, 0, codes.OK, 0},
		{"B", 3, 5, codes.OK, 5},
	} {
		for _, reads = range []bool{true, false} {
			plan[tt.method] = tt.sends
			route := g.Route("/p.A/" + tt.method)
			w := &wire{method: route.Method, in: tt.in}
			err := route.Serve(t.Context(), w)
			if status.Code(err) != tt.code || w.out != tt.out {
				t.Errorf("%+v, handler reads %t: error %v, %d responses left", tt, reads, err, w.out)
			}
		}
	}
}

func TestMethodWithoutHandler(t *testing.T) {
	g := newBench(t, handlers.NewRegistry()).reload(map[string]string{"a.proto": service("A", "")})
	route := g.Route("/p.A/Call")
	err := route.Serve(t.Context(), &wire{method: route.Method, in: 1})
	if status.Code(err) != codes.Unimplemented || !strings.Contains(err.Error(), "p.A/Call is in the schema, but no handler answers it") {
		t.Error(err)
	}
}
