package server

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestFloods attacks the server in each way, and checks that it ends the
// attacker's connection, reports why, and still answers others meanwhile.
func TestFloods(t *testing.T) {
	t.Parallel()
	held := []string{"--max-held-bytes", "8388608"}
	for name, test := range map[string]struct {
		attack attack
		args   []string
		why    string
	}{
		"rapid reset":            {attack{run: rapidReset}, nil, "MaxResets"},
		"made to reset":          {attack{run: madeReset}, nil, "MaxResets"},
		"settings":               {attack{run: settingsFlood}, nil, "MaxResets"},
		"gzip bombs":             {attack{run: gzipBombs(rig.SayHello, 4<<20-100)}, nil, "MaxInflation"},
		"gzip bombs, too large":  {attack{run: gzipBombs(rig.SayHello, 8<<20)}, nil, "MaxInflation"},
		"gzip bombs for health":  {attack{run: gzipBombs("/grpc.health.v1.Health/Check", 4<<20-100)}, nil, "MaxInflation"},
		"headers held":           {attack{run: heldHeaders}, held, "MaxHeldBytes"},
		"headers that never end": {attack{run: openHeaders}, []string{"--max-held-bytes", "1048576"}, "MaxHeldBytes"},
		"answers without window": {attack{run: neverReads, small: true}, held, "MaxHeldBytes"},
		"small answers":          {attack{run: tinyUnread, small: true}, held, "MaxHeldBytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := rig.Serve(t, test.args...)
			conn := rig.Dial(t, p.Addr())
			stop, ended := flood(t, p.Addr(), 2, test.attack)
			defer stop()
			rig.Eventually(t, "the server to end the attacker's connection", func() bool {
				_, err := rig.Invoke(rig.Context(t), conn, rig.SayHello, rig.Text(1, "you"))
				rig.Must(t, err)
				return ended.Load() > 0
			})
			p.AwaitStderr("connection ended", test.why)
		})
	}
}

// TestHonestResets has clients that share one connection. They cancel calls, and make
// calls that the server ends before they half-close, which grpc-go then resets. The
// server must not end the connection.
func TestHonestResets(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--max-resets", "20")
	conn := rig.Dial(t, p.Addr())
	var clients sync.WaitGroup
	for range 20 {
		clients.Go(func() {
			for range 80 {
				_, err := rig.Invoke(t.Context(), conn, rig.SayHello, rig.Text(1, "you"))
				if err == nil {
					err = giveUp(t.Context(), conn)
				}
				if err == nil {
					err = failEarly(t.Context(), conn)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	clients.Wait()
	if log := p.Stderr.String(); strings.Contains(log, "connection ended") {
		t.Error(log)
	}
}

// giveUp begins a call and cancels it.
func giveUp(ctx context.Context, conn *grpc.ClientConn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	_, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, rig.SendStatus)
	return err
}

// failEarly makes a call that the server ends before the client sends anything.
func failEarly(ctx context.Context, conn *grpc.ClientConn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/Nobody/Knows")
	if err != nil {
		return err
	}
	if err := stream.RecvMsg(new([]byte)); status.Code(err) != codes.Unimplemented {
		return fmt.Errorf("got %w, want UNIMPLEMENTED", err)
	}
	return nil
}

// TestUnreadAnswers has a client that reads nothing, so that it does not even see
// that the server ends the connection.
func TestUnreadAnswers(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--max-held-bytes", "8388608")
	conn := rig.Dial(t, p.Addr())
	stop, _ := flood(t, p.Addr(), 2, attack{run: neverReads, unread: true})
	defer stop()
	rig.Eventually(t, "the server to end the attacker's connection", func() bool {
		_, err := rig.Invoke(rig.Context(t), conn, rig.SayHello, rig.Text(1, "you"))
		rig.Must(t, err)
		return strings.Contains(p.Stderr.String(), "MaxHeldBytes")
	})
}

// TestLargeHeaders sends headers that are larger than the limit: the call fails, and
// the connection stays.
func TestLargeHeaders(t *testing.T) {
	t.Parallel()
	s := lab.Start(t, func(c *dynserver.Config) { c.GRPC.MaxHeaderBytes = 10_000 })
	f, err := dialFlooder(t.Context(), s.Addr)
	rig.Must(t, err)
	defer f.Close()
	rig.Must(t, f.SetDeadline(time.Now().Add(rig.Patience)))
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	for _, size := range []int{9000, 10_000, 50_000, 500_000, 1 << 20, 1} {
		want := codes.OK
		if size > 9000 {
			want = codes.ResourceExhausted
		}
		id, err := f.call(lab.Echo, false, hpack.HeaderField{Name: "large", Value: strings.Repeat("x", size)})
		rig.Must(t, err)
		rig.Must(t, f.body(id, frame(0, nil)))
		if got := f.status(t, id); got != strconv.Itoa(int(want)) {
			t.Errorf("a header of %d bytes: status %s, want %d", size, got, want)
		}
	}
}

// status returns the grpc-status of a call.
func (f *flooder) status(t testing.TB, id uint32) string {
	t.Helper()
	for {
		frame, err := f.ReadFrame()
		rig.Must(t, err)
		if h, ok := frame.(*http2.MetaHeadersFrame); ok && h.StreamID == id {
			for _, field := range h.Fields {
				if field.Name == "grpc-status" {
					return field.Value
				}
			}
		}
	}
}

// TestUnreadLog stops a server whose log nobody reads.
func TestUnreadLog(t *testing.T) {
	t.Parallel()
	for name, signals := range map[string]int{"drain": 1, "stop at once": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unread, log, err := os.Pipe()
			rig.Must(t, err)
			defer unread.Close()
			cmd := exec.Command(rig.Binary(t), "serve", "--grpc", "127.0.0.1:0", "--access-log", "1")
			cmd.Stderr = log
			p := rig.StartCommand(t, cmd)
			rig.Must(t, log.Close())
			t.Cleanup(p.Stop)
			p.AwaitAddrs(rig.Patience)
			conn := rig.Dial(t, p.Addr())
			for range 1000 { // more than a pipe holds
				_, err := rig.Invoke(rig.Context(t), conn, rig.SayHello, rig.Text(1, "you"))
				rig.Must(t, err)
			}
			stream := rig.Open(rig.Context(t), t, conn, rig.SendStatus)
			rig.Must(t, rig.Chat(stream, "in progress"))
			for range signals {
				p.Signal(syscall.SIGTERM)
			}
			if signals == 1 {
				_, err = stream.Done().All()
				rig.Must(t, err)
			}
			if err := p.Wait(); err != nil {
				t.Errorf("dyngate: %v", err)
			}
		})
	}
}
