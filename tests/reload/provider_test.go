package reload

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// turns is a provider that returns other answers at each load.
type turns struct {
	mu    sync.Mutex
	loads []*turn
	wrong string // what is wrong with the next loads, which bring nothing then
}

// turn answers Echo with its number, if it is sent "mine", and Hold with its
// number until the caller leaves.
type turn struct {
	number   int
	regs     []*handlers.Registration
	released atomic.Int32
}

func (p *turns) Name() string { return "turns" }

func (p *turns) Files() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wrong == "panic" {
		panic("another mistake")
	}
	return nil
}

func (p *turns) Load(context.Context) (handlers.Answers, []*diag.Diagnostic) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := diag.Position{Path: "turns.yaml", Line: 3, Column: 7}
	if p.wrong == "panic" {
		panic("a secret mistake")
	}
	if p.wrong != "" {
		return nil, []*diag.Diagnostic{diag.New(diag.Error, at, "%s", p.wrong)}
	}
	a := &turn{number: len(p.loads)}
	a.regs = []*handlers.Registration{
		{Pattern: "lab.Lab/Echo", Rank: 1, Position: at, Implementation: handlers.Unary(a.echo), MayDecline: true},
		{Pattern: "lab.Lab/Hold", Rank: 1, Position: at, Implementation: handlers.ServerStream(a.hold)},
	}
	p.loads = append(p.loads, a)
	return a, nil
}

func (p *turns) fail(wrong string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wrong = wrong
}

func (p *turns) all() []*turn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.loads)
}

func (a *turn) Registrations() []*handlers.Registration { return a.regs }
func (a *turn) Release()                                { a.released.Add(1) }

func (a *turn) echo(_ context.Context, in *lab.Msg) (*lab.Msg, error) {
	if in.Text != "mine" {
		return nil, handlers.ErrDeclined
	}
	return a.answer()
}

func (a *turn) hold(ctx context.Context, _ *lab.Msg) iter.Seq2[*lab.Msg, error] {
	return func(yield func(*lab.Msg, error) bool) {
		if yield(a.answer()) {
			<-ctx.Done()
			yield(a.answer())
		}
	}
}

func (a *turn) answer() (*lab.Msg, error) {
	if a.released.Load() > 0 {
		return nil, errors.New("it was released before")
	}
	return &lab.Msg{Text: fmt.Sprint("turn ", a.number)}, nil
}

// TestProviderUnderLoad changes registrations while they are called: no call
// fails, and each load is released once, when nothing can use it any more.
func TestProviderUnderLoad(t *testing.T) {
	t.Parallel()
	p := new(turns)
	s := lab.Start(t, func(c *dynserver.Config) { c.Providers = []handlers.Provider{p} })
	mine := rig.StartLoad(t, s.Conn, lab.Echo, rig.Text(1, "mine"), func(out []byte) bool { return strings.HasPrefix(rig.TextOf(out, 1), "turn ") })
	others := rig.StartLoad(t, s.Conn, lab.Echo, rig.Text(1, "yours"), func(out []byte) bool { return rig.TextOf(out, 1) == "yours" })
	ctx, leave := context.WithCancel(rig.Context(t))
	defer leave()
	held := rig.Open(ctx, t, s.Conn, lab.Hold).Send(nil).Done()
	if got := rig.TextOf(held.MustRecv(), 1); got != "turn 0" {
		t.Errorf("held by %q", got)
	}
	for i := range 100 {
		report, err := s.Reload(t.Context())
		rig.Must(t, err)
		if !report.Applied || len(report.Changed) != 1 || len(report.Diagnostics) > 0 {
			t.Fatalf("reload %d: %+v", i, report)
		}
		if i%10 == 0 {
			mine.During(t, 10)
		}
	}
	mine.End(t)
	others.End(t)
	loads := p.all()
	last := len(loads) - 1
	for _, a := range loads[1:last] {
		rig.Eventually(t, "a load to be released", func() bool { return a.released.Load() == 1 })
	}
	if n := loads[0].released.Load() + loads[last].released.Load(); n != 0 {
		t.Error("what a stream or new calls use was released")
	}
	leave()
	rig.Eventually(t, "the first load to be released", func() bool { return loads[0].released.Load() == 1 })
	s.Stop()
	<-s.Served
	for _, a := range loads {
		if n := a.released.Load(); n != 1 {
			t.Errorf("turn %d was released %d times", a.number, n)
		}
	}
}

// TestProviderFails checks that the last good load stays, and that the errors have
// positions.
func TestProviderFails(t *testing.T) {
	t.Parallel()
	p := new(turns)
	s := lab.Start(t, func(c *dynserver.Config) { c.Providers = []handlers.Provider{p} })
	p.fail("it is stuck")
	report, err := s.Reload(t.Context())
	rig.Must(t, err)
	if report.Applied || len(report.New) != 1 || report.New[0].Error() != "turns.yaml:3:7: it is stuck" {
		t.Errorf("got %+v", report)
	}
	p.fail("panic")
	report, err = s.Reload(t.Context())
	rig.Must(t, err)
	if len(report.New) != 1 || report.New[0].Error() != "loading turns: panicked: a secret mistake" {
		t.Errorf("got %+v", report)
	}
	p.fail("it is stuck")
	out, err := rig.Invoke(rig.Context(t), s.Conn, lab.Echo, rig.Text(1, "mine"))
	rig.Must(t, err)
	if got := rig.TextOf(out, 1); got != "turn 0" {
		t.Errorf("answered by %q", got)
	}

	config := rig.Config(t, lab.Proto, lab.Register)
	config.Sources = append(config.Sources, dynserver.FS("more", fstest.MapFS{
		"other.proto": {Data: []byte("syntax = \"proto3\"; package other; service Other { rpc Lost(Mesage) returns (Mesage); }")},
	}))
	config.Providers = []handlers.Provider{p}
	config.Handlers.Handle("lab.Lab/Nobodi", handlers.Unary(lab.HandleEcho))
	config.Handlers.Handle("lab.**.x", handlers.Unary(lab.HandleEcho))
	_, err = rig.New(t, config)
	rig.WantText(t, fmt.Sprint(err), "turns.yaml:3:7", "it is stuck", "Mesage", "lab.**.x", "provider_test.go:",
		`no method matches "lab.Lab/Nobodi" (did you mean "lab.Lab/Nobody"?)`, "4 errors, 1 warning")
}

// TestSetMiddleware changes middleware under load. Handlers are not bound again.
func TestSetMiddleware(t *testing.T) {
	t.Parallel()
	var bound atomic.Int32
	config := rig.Config(t, lab.Proto, func(reg *handlers.Registry) {
		reg.Handle("lab.Lab/Echo", handlers.ImplementationFunc(func(m *handlers.Method) (handlers.Handler, error) {
			bound.Add(1)
			return handlers.Unary(lab.HandleEcho).Bind(m)
		}))
	})
	s := rig.Local(t, config)
	load := rig.StartLoad(t, s.Conn, lab.Echo, rig.Text(1, "x"), func(out []byte) bool { return rig.TextOf(out, 1) == "x" })
	for i := range 20 {
		name := fmt.Sprint("middleware ", i)
		s.SetMiddleware(func(next handlers.Handler) handlers.Handler {
			return handlers.HandlerFunc(func(ctx context.Context, call handlers.Call) error {
				return errors.Join(call.SetHeader(metadata.Pairs("by", name)), next.ServeRPC(ctx, call))
			})
		})
		report, err := s.Reload(t.Context())
		rig.Must(t, err)
		if !report.Applied || len(report.Changed) > 0 {
			t.Errorf("got %+v", report)
		}
		var header metadata.MD
		_, err = rig.Invoke(rig.Context(t), s.Conn, lab.Echo, rig.Text(1, "x"), grpc.Header(&header))
		rig.Must(t, err)
		if got := header.Get("by"); !slices.Equal(got, []string{name}) {
			t.Errorf("called through %q, want %q", got, name)
		}
	}
	load.End(t)
	if bound.Load() != 1 {
		t.Errorf("it was bound %d times", bound.Load())
	}
}

// TestOwnStreamsHoldNothing keeps streams of the server's own services open: what
// older generations need is released nevertheless, and a shutdown ends the streams.
func TestOwnStreamsHoldNothing(t *testing.T) {
	t.Parallel()
	p := new(turns)
	s := lab.Start(t, func(c *dynserver.Config) { c.Providers = []handlers.Provider{p} })
	watch, err := healthpb.NewHealthClient(s.Conn).Watch(rig.Context(t), new(healthpb.HealthCheckRequest))
	rig.Must(t, err)
	awaitHealth := func(want healthpb.HealthCheckResponse_ServingStatus) {
		t.Helper()
		if res, err := watch.Recv(); err != nil || res.GetStatus() != want {
			t.Errorf("health: %v, %v, want %v", res, err, want)
		}
	}
	awaitHealth(healthpb.HealthCheckResponse_SERVING)
	reflection := openReflection(t, s)
	reflection.symbol("lab.Lab")
	_, err = s.Reload(t.Context())
	rig.Must(t, err)
	rig.Eventually(t, "the first load to be released", func() bool { return p.all()[0].released.Load() == 1 })
	s.Stop()
	_, err = reflection.stream.Recv()
	rig.WantCode(t, err, codes.Unavailable)
	awaitHealth(healthpb.HealthCheckResponse_NOT_SERVING)
	if err := <-s.Served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}
