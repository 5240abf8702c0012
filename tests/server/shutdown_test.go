package server

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestDrain checks that calls in progress may finish after SIGTERM while new
// ones are refused.
func TestDrain(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t)
	conn := rig.Dial(t, p.Addr())
	stream := rig.Open(rig.Context(t), t, conn, rig.SendStatus)
	rig.Must(t, rig.Chat(stream, "before"))
	health := watch(rig.Context(t), t, healthpb.NewHealthClient(conn), "")
	health.want(serving)

	p.Signal(syscall.SIGTERM)
	health.want(notServing)
	rig.Must(t, rig.Chat(stream, "while it drains"))
	_, err := new(net.Dialer).DialContext(rig.Context(t), "tcp", p.Addr())
	rig.Eventually(t, "the listener to close", func() bool {
		if err == nil {
			_, err = new(net.Dialer).DialContext(rig.Context(t), "tcp", p.Addr())
		}
		return err != nil
	})
	rig.Must(t, rig.Chat(stream, "still"))
	if p.Exited() {
		t.Fatal("it has ended before its last call has")
	}
	if _, err := stream.Done().All(); err != nil {
		t.Error(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
}

// TestDrainTimeout checks that calls which take longer than --drain are cut.
func TestDrainTimeout(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--drain", "100ms")
	stream := rig.Open(rig.Context(t), t, rig.Dial(t, p.Addr()), rig.SendStatus)
	rig.Must(t, rig.Chat(stream, "before"))
	p.Signal(syscall.SIGTERM)
	_, err := stream.All()
	rig.WantCode(t, err, codes.Unavailable)
	if err := p.Wait(); err != nil {
		t.Errorf("exit: %v: it did what the flag says", err)
	}
	rig.WantText(t, p.Stderr.String(), "level=WARN", "drain_ms=100")
}

// TestDrainDelay checks that calls are accepted while health says NOT_SERVING.
func TestDrainDelay(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--drain-delay", "1h")
	p.Signal(syscall.SIGTERM)
	p.AwaitStderr("draining")
	conn := rig.Dial(t, p.Addr())
	rig.Eventually(t, "health to say so", func() bool {
		res, err := healthpb.NewHealthClient(conn).Check(rig.Context(t), new(healthpb.HealthCheckRequest))
		return err == nil && res.GetStatus() == notServing
	})
	_, err := rig.Invoke(rig.Context(t), rig.Dial(t, p.Addr()), "/Greeter/SayHello", nil)
	rig.Must(t, err)
	p.SignalUntilExit(syscall.SIGTERM)

	short := rig.Serve(t, "--drain-delay", "10ms")
	short.Signal(syscall.SIGTERM)
	rig.Must(t, short.Wait())
}

// TestSecondSignal checks that a second signal does not wait for the drain.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	for name, signals := range map[string][2]os.Signal{
		"SIGTERM twice":        {syscall.SIGTERM, syscall.SIGTERM},
		"SIGINT, then SIGTERM": {os.Interrupt, syscall.SIGTERM},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := rig.Serve(t, "--drain", "1h", "--task-interval", "1h")
			stream := rig.Open(rig.Context(t), t, rig.Dial(t, p.Addr()), rig.GetTask).Send(nil).Done()
			stream.MustRecv()
			p.Signal(signals[0])
			p.AwaitStderr("draining")
			p.Signal(signals[1]) // too soon to count as the second
			p.SignalUntilExit(signals[1])
			_, err := stream.All()
			rig.WantCode(t, err, codes.Unavailable)
		})
	}
}

// TestDrainIdle checks that a client which only stays connected does not keep
// the server.
func TestDrainIdle(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--drain", "1h")
	conn := rig.Dial(t, p.Addr())
	_, err := rig.Invoke(rig.Context(t), conn, "/Greeter/SayHello", nil)
	rig.Must(t, err)
	raw := dialRaw(t, p.Addr()).begin(t)
	p.Stop()
	raw.drain()
}

// TestShutdown checks that Shutdown ends Serve, and can be called again.
func TestShutdown(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	stream := rig.Open(rig.Context(t), t, s.Conn, lab.Hold).Send(nil).Done()
	stream.MustRecv()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	_, err := stream.Recv()
	rig.WantCode(t, err, codes.Unavailable)
	if err := <-s.Served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	rig.Must(t, s.Shutdown(t.Context()))
	_, err = s.Reload(t.Context())
	rig.Must(t, err)
}

// TestServeEndsAtOnce ends Serve before or just after it begins: that is not an error.
func TestServeEndsAtOnce(t *testing.T) {
	t.Parallel()
	for i := range 100 {
		srv, err := rig.New(t, rig.Config(t, lab.Proto, nil))
		rig.Must(t, err)
		lis, err := net.Listen("tcp", "127.0.0.1:0")
		rig.Must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if i%2 == 0 {
			rig.Must(t, srv.Shutdown(t.Context()))
			ctx = t.Context()
		}
		if err := srv.Serve(ctx, dynserver.GRPC(lis)); err != nil {
			t.Fatalf("Serve: %v", err)
		}
		// Not by a call to its address, which another process may have by now.
		if err := lis.(*net.TCPListener).SetDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("the listener is still open: %v", err)
		}
	}
}

// TestShutdownUnserved checks that a Server which never served can be dropped.
func TestShutdownUnserved(t *testing.T) {
	t.Parallel()
	srv, err := rig.New(t, rig.Config(t, lab.Proto, lab.Register))
	rig.Must(t, err)
	rig.Must(t, srv.Shutdown(t.Context()))
	if err := srv.Serve(t.Context()); err == nil {
		t.Error("served without a listener")
	}
}

// TestUnixSocket serves on a Unix socket together with TCP, is killed, and
// starts again on the socket that is left over.
func TestUnixSocket(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	args := []string{"--grpc", "unix:" + socket, "--grpc", "127.0.0.1:0"}
	p := rig.Serve(t, args...)
	if want := "unix://" + socket; p.Addrs[0] != want || len(p.Addrs) != 2 {
		t.Errorf("listens on %v, want %s first", p.Addrs, want)
	}
	for _, addr := range p.Addrs {
		out, err := rig.Invoke(rig.Context(t), rig.Dial(t, addr), "/Greeter/SayHello", rig.Text(1, addr))
		if err != nil || rig.TextOf(out, 1) != "hello "+addr {
			t.Errorf("%s: %q, %v", addr, out, err)
		}
	}
	rig.WantText(t, refuse(t, 1, "--grpc", "unix:"+socket), "another process listens on it")

	p.Kill()
	if _, err := os.Lstat(socket); err != nil {
		t.Fatalf("kill -9 should leave the socket: %v", err)
	}
	p = rig.Serve(t, args...)
	p.Stop()
	if _, err := os.Lstat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// TestListenErrors checks the errors of addresses that cannot be used.
func TestListenErrors(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	rig.Must(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	file := filepath.Join(rig.Folder(t, map[string]string{"file": "precious"}), "file")
	for name, test := range map[string]struct {
		addr string
		want []string
	}{
		"taken":  {taken.Addr().String(), []string{taken.Addr().String(), "address already in use", "choose another address with --grpc"}},
		"a file": {"unix:" + file, []string{file}},
		"folder": {"unix:" + filepath.Dir(file) + "/no/such", []string{"no/such"}},
		"no":     {"nonsense", []string{"nonsense"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig.WantText(t, refuse(t, 1, "--grpc", test.addr), test.want...)
		})
	}
	t.Cleanup(func() {
		if content, err := os.ReadFile(file); err != nil || string(content) != "precious" {
			t.Errorf("the file is %q, %v", content, err)
		}
	})
}

// TestSeveralListeners serves one Server on several listeners; one that fails
// ends Serve.
func TestSeveralListeners(t *testing.T) {
	t.Parallel()
	srv, err := rig.New(t, rig.Config(t, lab.Proto, lab.Register))
	rig.Must(t, err)
	var listeners []dynserver.Listener
	for range 3 {
		lis, err := net.Listen("tcp", "127.0.0.1:0")
		rig.Must(t, err)
		listeners = append(listeners, dynserver.GRPC(lis))
	}
	served := make(chan error)
	go func() { served <- srv.Serve(context.Background(), listeners...) }() // ends when a listener does
	for _, lis := range listeners {
		_, err := rig.Invoke(rig.Context(t), rig.Dial(t, lis.Addr().String()), lab.Echo, nil, grpc.WaitForReady(true))
		rig.Must(t, err)
	}
	rig.Must(t, listeners[1].Close())
	if err := <-served; err == nil || status.Code(err) == codes.OK && errors.Is(err, io.EOF) {
		t.Errorf("Serve: %v", err)
	}
	for _, lis := range listeners {
		if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", lis.Addr().String()); err == nil {
			_ = conn.Close()
			t.Errorf("%v still listens", lis.Addr())
		}
	}
}
