package reload

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// faulty is a provider, and its own answers, that does what its fields say.
type faulty struct {
	name, registrations func()
	load                func(ctx context.Context) (handlers.Answers, []*diag.Diagnostic)
	release             func()
	list                []*handlers.Registration
}

func call(f func()) {
	if f != nil {
		f()
	}
}

func (p *faulty) Name() string {
	call(p.name)
	return "faulty"
}

func (p *faulty) Files() []string { return nil }

func (p *faulty) Load(ctx context.Context) (handlers.Answers, []*diag.Diagnostic) {
	if p.load != nil {
		return p.load(ctx)
	}
	return p, nil
}

func (p *faulty) Registrations() []*handlers.Registration {
	call(p.registrations)
	return p.list
}

func (p *faulty) Release() { call(p.release) }

func fail() { panic("a mistake") }

// TestFaultyProviders outlives providers that panic or return what makes no sense.
func TestFaultyProviders(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		provider handlers.Provider
		want     string
	}{
		"nil":                   {nil, "provider 1 is nil"},
		"name":                  {&faulty{name: fail, registrations: fail}, "loading provider 1: panicked: a mistake"},
		"registrations":         {&faulty{registrations: fail}, "loading faulty: panicked: a mistake"},
		"nil registration":      {&faulty{list: []*handlers.Registration{nil}}, "loading faulty: 1 registrations are nil"},
		"nil pointer as result": {&faulty{load: func(context.Context) (handlers.Answers, []*diag.Diagnostic) { return (*faulty)(nil), nil }}, "loading faulty: panicked"},
		"nil diagnostic": {&faulty{load: func(context.Context) (handlers.Answers, []*diag.Diagnostic) {
			return nil, []*diag.Diagnostic{nil, diag.New(diag.Error, diag.Position{}, "it is stuck")}
		}}, "it is stuck"},
	} {
		config := rig.Config(t, lab.Proto, lab.Register)
		config.Providers = []handlers.Provider{c.provider}
		_, err := rig.New(t, config)
		var loadError *dynserver.LoadError
		if !errors.As(err, &loadError) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	p := &faulty{release: fail, list: []*handlers.Registration{{Pattern: "lab.Lab/Nobody", Implementation: handlers.Unary(lab.HandleEcho)}}}
	s := lab.Start(t, func(c *dynserver.Config) { c.Providers = []handlers.Provider{p} })
	p.list = []*handlers.Registration{{Pattern: "lab.Lab/Nobody", Implementation: handlers.Unary(lab.HandleEcho)}}
	_, err := s.Reload(t.Context())
	rig.Must(t, err)
	lab.Alive(t, s)
	rig.WantText(t, s.Log.String(), "releasing what a provider has loaded failed", "a mistake")
}

// TestLoadHangs ends loads of a provider by the context of whoever waits, and by a
// shutdown.
func TestLoadHangs(t *testing.T) {
	t.Parallel()
	hangs, entered := false, make(chan struct{}, 10)
	p := new(faulty)
	p.load = func(ctx context.Context) (handlers.Answers, []*diag.Diagnostic) {
		if hangs {
			entered <- struct{}{}
			<-ctx.Done()
		}
		return p, nil
	}
	s := lab.Start(t, func(c *dynserver.Config) { c.Providers = []handlers.Provider{p} })
	hangs = true
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() { // ends with ctx
		_, err := s.Reload(ctx)
		first <- err
	}()
	<-entered
	short, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	if _, err := s.Reload(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a reload that waits for another one: %v", err)
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("a reload whose context ends: %v", err)
	}
	go func() { // ends with the shutdown
		_, err := s.Reload(context.Background())
		first <- err
	}()
	<-entered
	rig.Must(t, s.Shutdown(t.Context()))
	rig.Must(t, <-first)
}

// TestFaultyMiddleware refuses middleware that cannot be put around handlers, and
// keeps the middleware before.
func TestFaultyMiddleware(t *testing.T) {
	t.Parallel()
	faults := map[string]handlers.Middleware{
		"middleware 0 is nil":                 nil,
		"middleware 0 panicked: a mistake":    func(handlers.Handler) handlers.Handler { panic("a mistake") },
		"middleware 0 returned a nil handler": func(handlers.Handler) handlers.Handler { return nil },
	}
	for want, middleware := range faults {
		config := rig.Config(t, lab.Proto, lab.Register)
		config.Middleware = []handlers.Middleware{middleware}
		_, err := rig.New(t, config)
		rig.WantText(t, err.Error(), want)
		config.Lenient = true // its calls must not pass without the middleware
		_, err = rig.Invoke(t.Context(), rig.Local(t, config).Conn, lab.Echo, nil)
		rig.WantCode(t, err, codes.Internal)
	}
	s := lab.Start(t, func(c *dynserver.Config) {
		c.Middleware = []handlers.Middleware{func(next handlers.Handler) handlers.Handler {
			return handlers.HandlerFunc(func(ctx context.Context, call handlers.Call) error {
				return errors.Join(call.SetHeader(metadata.Pairs("by", "the first")), next.ServeRPC(ctx, call))
			})
		}}
	})
	for want, middleware := range faults {
		s.SetMiddleware(middleware)
		report, err := s.Reload(t.Context())
		rig.Must(t, err)
		if report.Applied || len(report.Diagnostics) != 1 || report.Diagnostics[0].Message != want {
			t.Errorf("%s: got %+v", want, report)
		}
		var header metadata.MD
		_, err = rig.Invoke(t.Context(), s.Conn, lab.Echo, rig.Text(1, "x"), grpc.Header(&header))
		rig.Must(t, err)
		if len(header.Get("by")) != 1 {
			t.Error("a call passes without the middleware")
		}
	}
}

// TestFixed reports what was wrong and is not any more, also where no service changes.
func TestFixed(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"a.proto": rig.ServiceProto("A"), "types.proto": `syntax = "proto3"; package types;`})
	types := filepath.Join(dir, "types.proto")
	p := rig.Serve(t, dir)
	rig.Write(t, types, `syntax = "proto3"; package types`)
	p.AwaitStderr("types.proto:1:")
	rig.Write(t, types, `syntax = "proto3"; package types;`)
	p.AwaitStderr("fixed: " + types)

	wrong := true
	provider := new(faulty)
	provider.load = func(context.Context) (handlers.Answers, []*diag.Diagnostic) {
		if wrong {
			return nil, []*diag.Diagnostic{diag.New(diag.Error, diag.Position{Path: "a.yaml", Line: 1}, "it is stuck")}
		}
		return provider, nil
	}
	var reports []dynserver.Report
	s := lab.Start(t, func(c *dynserver.Config) {
		c.Lenient, c.Providers = true, []handlers.Provider{provider}
		c.OnReload = func(r dynserver.Report) { reports = append(reports, r) }
	})
	wrong = false
	_, err := s.Reload(t.Context())
	rig.Must(t, err)
	if len(reports) != 2 || len(reports[1].Fixed) != 1 || reports[1].Fixed[0].Message != "it is stuck" {
		t.Errorf("got %+v", reports)
	}
}
