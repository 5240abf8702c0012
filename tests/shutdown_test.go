package tests

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver"
)

const (
	sendStatus = "/Contact/sendStatus"
	getTask    = "/Contact/getTask"
)

// chat exchanges one message on a sendStatus stream.
func chat(s *rawStream, msg string) error {
	s.send(text(1, msg))
	out, err := s.recv()
	if err == nil && !strings.Contains(textOf(out, 1), msg) {
		return errors.New("the answer is " + textOf(out, 1))
	}
	return err
}

// TestDrain checks that calls in progress may finish after SIGTERM while new
// ones are refused.
func TestDrain(t *testing.T) {
	t.Parallel()
	p := serve(t)
	conn := dial(t, p.addr())
	stream := open(timeout(t), t, conn, sendStatus)
	must(t, chat(stream, "before"))
	health := watch(timeout(t), t, healthpb.NewHealthClient(conn), "")
	health.want(serving)

	p.signal(syscall.SIGTERM)
	health.want(notServing)
	must(t, chat(stream, "while it drains"))
	_, err := new(net.Dialer).DialContext(timeout(t), "tcp", p.addr())
	eventually(t, "the listener to close", func() bool {
		if err == nil {
			_, err = new(net.Dialer).DialContext(timeout(t), "tcp", p.addr())
		}
		return err != nil
	})
	must(t, chat(stream, "still"))
	if p.hasExited() {
		t.Fatal("it has ended before its last call has")
	}
	if _, err := stream.done().all(); err != nil {
		t.Error(err)
	}
	p.awaitExit()
	if p.err != nil {
		t.Errorf("exit: %v", p.err)
	}
}

// TestDrainTimeout checks that calls which take longer than --drain are cut.
func TestDrainTimeout(t *testing.T) {
	t.Parallel()
	p := serve(t, "--drain", "100ms")
	stream := open(timeout(t), t, dial(t, p.addr()), sendStatus)
	must(t, chat(stream, "before"))
	p.signal(syscall.SIGTERM)
	_, err := stream.all()
	wantCode(t, err, codes.Unavailable)
	p.awaitExit()
	if p.err != nil {
		t.Errorf("exit: %v: it did as it was told", p.err)
	}
	contains(t, p.log.String(), "level=WARN", "drain=100ms")
}

// TestDrainDelay checks that calls are accepted while health says NOT_SERVING.
func TestDrainDelay(t *testing.T) {
	t.Parallel()
	p := serve(t, "--drain-delay", "1h")
	p.signal(syscall.SIGTERM)
	p.awaitLog("draining")
	conn := dial(t, p.addr())
	eventually(t, "health to say so", func() bool {
		res, err := healthpb.NewHealthClient(conn).Check(timeout(t), new(healthpb.HealthCheckRequest))
		return err == nil && res.GetStatus() == notServing
	})
	_, err := invoke(timeout(t), dial(t, p.addr()), "/Greeter/SayHello", nil)
	must(t, err)
	p.signalUntilExit(syscall.SIGTERM)

	short := serve(t, "--drain-delay", "10ms")
	short.signal(syscall.SIGTERM)
	short.awaitExit()
	must(t, short.err)
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
			p := serve(t, "--drain", "1h", "--task-interval", "1h")
			stream := open(timeout(t), t, dial(t, p.addr()), getTask).send(nil).done()
			stream.mustRecv()
			p.signal(signals[0])
			p.awaitLog("draining")
			p.signal(signals[1]) // too soon to be another one
			p.signalUntilExit(signals[1])
			_, err := stream.all()
			wantCode(t, err, codes.Unavailable)
		})
	}
}

// TestDrainIdle checks that a client which only stays connected does not keep
// the server.
func TestDrainIdle(t *testing.T) {
	t.Parallel()
	p := serve(t, "--drain", "1h")
	conn := dial(t, p.addr())
	_, err := invoke(timeout(t), conn, "/Greeter/SayHello", nil)
	must(t, err)
	raw := dialRaw(t, p.addr()).begin(t)
	p.stop()
	raw.drain()
}

// TestShutdown checks the library: Shutdown ends Serve, and may come again.
func TestShutdown(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	stream := open(timeout(t), t, s.conn, labHold).send(nil).done()
	stream.mustRecv()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	_, err := stream.recv()
	wantCode(t, err, codes.Unavailable)
	if err := <-s.served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	must(t, s.Shutdown(t.Context()))
	_, err = s.Reload(t.Context())
	must(t, err)
}

// TestServeEndsAtOnce ends Serve before it has begun, or nearly so: that is no
// error.
func TestServeEndsAtOnce(t *testing.T) {
	t.Parallel()
	for i := range 100 {
		srv, err := newServer(t, protoConfig(t, labProto, nil))
		must(t, err)
		lis, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if i%2 == 0 {
			must(t, srv.Shutdown(t.Context()))
			ctx = t.Context()
		}
		if err := srv.Serve(ctx, dynserver.GRPC(lis)); err != nil {
			t.Fatalf("Serve: %v", err)
		}
		if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", lis.Addr().String()); err == nil {
			_ = conn.Close()
			t.Fatal("the listener is still open")
		}
	}
}

// TestShutdownUnserved checks that a Server which never served can be dropped.
func TestShutdownUnserved(t *testing.T) {
	t.Parallel()
	srv, err := newServer(t, protoConfig(t, labProto, registerLab))
	must(t, err)
	must(t, srv.Shutdown(t.Context()))
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
	p := serve(t, args...)
	if want := "unix://" + socket; p.addrs[0] != want || len(p.addrs) != 2 {
		t.Errorf("listens on %v, want %s first", p.addrs, want)
	}
	for _, addr := range p.addrs {
		out, err := invoke(timeout(t), dial(t, addr), "/Greeter/SayHello", text(1, addr))
		if err != nil || textOf(out, 1) != "hello "+addr {
			t.Errorf("%s: %q, %v", addr, out, err)
		}
	}
	contains(t, refuse(t, "--grpc", "unix:"+socket), "another process listens there")

	must(t, p.cmd.Process.Kill())
	p.awaitExit()
	if _, err := os.Lstat(socket); err != nil {
		t.Fatalf("kill -9 should leave the socket: %v", err)
	}
	p = serve(t, args...)
	p.stop()
	if _, err := os.Lstat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// TestListenErrors checks what is refused, and that it is said clearly.
func TestListenErrors(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	file := filepath.Join(folder(t, map[string]string{"file": "precious"}), "file")
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
			contains(t, refuse(t, "--grpc", test.addr), test.want...)
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
	srv, err := newServer(t, protoConfig(t, labProto, registerLab))
	must(t, err)
	var listeners []dynserver.Listener
	for range 3 {
		lis, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		listeners = append(listeners, dynserver.GRPC(lis))
	}
	served := make(chan error)
	go func() { served <- srv.Serve(context.Background(), listeners...) }() // ends when a listener does
	for _, lis := range listeners {
		_, err := invoke(timeout(t), dial(t, lis.Addr().String()), labEcho, nil, grpc.WaitForReady(true))
		must(t, err)
	}
	must(t, listeners[1].Close())
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
