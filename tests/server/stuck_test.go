package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// startStuck serves lab.Lab/Echo with a handler that ignores its context, and begins
// a call. The handler ends with the test.
func startStuck(t testing.TB, changes ...func(*dynserver.Config)) *rig.Server {
	t.Helper()
	entered, release := make(chan struct{}), make(chan struct{})
	config := rig.Config(t, lab.Proto, func(reg *handlers.Registry) {
		reg.Handle("lab.Lab/Echo", handlers.Unary(func(_ context.Context, in *lab.Msg) (*lab.Msg, error) {
			close(entered)
			<-release
			return in, nil
		}))
	})
	for _, change := range changes {
		change(&config)
	}
	s := rig.Local(t, config)
	t.Cleanup(func() { close(release) }) // before Serve must have returned
	rig.Open(t.Context(), t, s.Conn, lab.Echo).Send(nil).Done()
	_ = soon(t, "the way to the handler", func() error { <-entered; return nil })
	return s
}

// soon fails the test unless f returns, while the handler is still stuck.
func soon(t testing.TB, what string, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }() // ends with f, at the latest when the handler does
	select {
	case err := <-done:
		return err
	case <-time.After(rig.Patience):
		t.Fatalf("%s does not return", what)
		return nil
	}
}

// ended returns a context that has ended.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// TestStuckHandler shuts down while a handler does not end: Shutdown and Serve wait
// only as long as they are told.
func TestStuckHandler(t *testing.T) {
	t.Parallel()
	t.Run("Shutdown", func(t *testing.T) {
		t.Parallel()
		s := startStuck(t)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := soon(t, "Shutdown", func() error { return s.Shutdown(ctx) })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		_ = soon(t, "the second Shutdown", func() error { return s.Shutdown(ended()) })
		rig.Must(t, soon(t, "Serve", func() error { return <-s.Served }))
	})
	t.Run("Serve", func(t *testing.T) {
		t.Parallel()
		s := startStuck(t, func(c *dynserver.Config) { c.DrainTimeout = 50 * time.Millisecond })
		s.Stop()
		_ = soon(t, "Serve", func() error { return <-s.Served })
		_ = soon(t, "Shutdown", func() error { return s.Shutdown(ended()) })
	})
	t.Run("no drain", func(t *testing.T) {
		t.Parallel()
		s := startStuck(t, func(c *dynserver.Config) { c.DrainTimeout = -1 })
		s.Stop()
		_ = soon(t, "Serve", func() error { return <-s.Served })
	})
}

// TestSecondShutdown ends a long drain, as the second signal does.
func TestSecondShutdown(t *testing.T) {
	t.Parallel()
	patient := func(c *dynserver.Config) { c.DrainTimeout = time.Hour }
	for call, start := range map[string]func(testing.TB, ...func(*dynserver.Config)) *rig.Server{"stuck": startStuck, "streaming": startHolding} {
		for name, drain := range map[string]func(*rig.Server) error{
			"of Shutdown": func(s *rig.Server) error { return s.Shutdown(context.Background()) },
			"of Serve":    func(s *rig.Server) error { s.Stop(); return nil },
		} {
			t.Run(call+", drain "+name, func(t *testing.T) {
				t.Parallel()
				s := start(t, patient)
				first := make(chan error, 1)
				go func() { first <- drain(s) }() // ends with the drain
				rig.Eventually(t, "the drain to begin", func() bool {
					_, err := rig.Invoke(rig.Context(t), s.Conn, lab.Raw, nil)
					return status.Code(err) == codes.Unavailable
				})
				_ = soon(t, "the second Shutdown", func() error { return s.Shutdown(ended()) })
				_ = soon(t, "the first", func() error { return <-first })
				_ = soon(t, "Serve", func() error { return <-s.Served })
			})
		}
	}
}

// startHolding begins a stream that lasts until the caller leaves.
func startHolding(t testing.TB, changes ...func(*dynserver.Config)) *rig.Server {
	t.Helper()
	s := lab.Start(t, changes...)
	rig.Open(t.Context(), t, s.Conn, lab.Hold).Send(nil).Done().MustRecv()
	return s
}

// TestShutdownEnded shuts down with a context that has ended: that fails only
// if calls were in progress.
func TestShutdownEnded(t *testing.T) {
	t.Parallel()
	t.Run("idle", func(t *testing.T) {
		t.Parallel()
		s := lab.Start(t)
		lab.Alive(t, s)
		rig.Must(t, s.Shutdown(ended()))
	})
	t.Run("never served", func(t *testing.T) {
		t.Parallel()
		srv, err := rig.New(t, rig.Config(t, lab.Proto, nil))
		rig.Must(t, err)
		rig.Must(t, srv.Shutdown(ended()))
	})
	t.Run("with a call", func(t *testing.T) {
		t.Parallel()
		s := startHolding(t)
		err := s.Shutdown(ended())
		if !errors.Is(err, context.Canceled) || !strings.Contains(fmt.Sprint(err), "cut") {
			t.Errorf("Shutdown: %v, want one that reports the cut", err)
		}
	})
	t.Run("no drain, idle", func(t *testing.T) {
		t.Parallel()
		s := lab.Start(t, func(c *dynserver.Config) { c.DrainTimeout = -1 })
		lab.Alive(t, s)
		s.Stop() // Serve must return nil: see rig.Local
	})
}

// TestNoDrain stops an idle server that must not wait: that is a clean end.
func TestNoDrain(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--drain", "0")
	conn := rig.Dial(t, p.Addr())
	_, err := rig.Invoke(rig.Context(t), conn, rig.SayHello, rig.Text(1, "you"))
	rig.Must(t, err)
	p.Stop() // checks the exit status
	if strings.Contains(p.Stderr.String(), "level=WARN") {
		t.Errorf("nothing was in progress, but:\n%s", &p.Stderr)
	}
}

// TestSecondSignalUnread sends the second signal while a caller reads nothing.
func TestSecondSignalUnread(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--drain", "1h", "--task-interval", "1us")
	stream := rig.Open(rig.Context(t), t, rig.Dial(t, p.Addr()), rig.GetTask).Send(nil).Done()
	stream.MustRecv()
	p.Signal(syscall.SIGTERM)
	p.AwaitStderr("draining")
	p.SignalUntilExit(syscall.SIGTERM)
	_, err := stream.All()
	rig.WantCode(t, err, codes.Unavailable)
}
