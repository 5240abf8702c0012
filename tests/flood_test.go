package tests

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
)

// TestFloods attacks the server in each way, and checks that it ends the
// attacker's connection, tells it why, and goes on answering others meanwhile.
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
		"gzip bombs":             {attack{run: gzipBombs(sayHello, 4<<20-100)}, nil, "MaxInflation"},
		"gzip bombs, too large":  {attack{run: gzipBombs(sayHello, 8<<20)}, nil, "MaxInflation"},
		"gzip bombs for health":  {attack{run: gzipBombs("/grpc.health.v1.Health/Check", 4<<20-100)}, nil, "MaxInflation"},
		"headers held":           {attack{run: heldHeaders}, held, "MaxHeldBytes"},
		"headers that never end": {attack{run: openHeaders}, []string{"--max-held-bytes", "1048576"}, "MaxHeldBytes"},
		"answers without window": {attack{run: neverReads, small: true}, held, "MaxHeldBytes"},
		"small answers":          {attack{run: tinyUnread, small: true}, held, "MaxHeldBytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := serve(t, test.args...)
			conn := dial(t, p.addr())
			stop, ended := flood(t, p.addr(), 2, test.attack)
			defer stop()
			eventually(t, "the server to end the attacker's connection", func() bool {
				_, err := invoke(timeout(t), conn, sayHello, text(1, "you"))
				must(t, err)
				return ended.Load() > 0
			})
			p.awaitLog("connection ended", test.why)
		})
	}
}

// TestHonestResets has clients behind one connection that lose their patience with
// half of their calls, and do not half-close what the server ends at once, which
// their library resets then. The server lets them.
func TestHonestResets(t *testing.T) {
	t.Parallel()
	p := serve(t, "--max-resets", "20")
	conn := dial(t, p.addr())
	var clients sync.WaitGroup
	for range 20 {
		clients.Go(func() {
			for range 80 {
				_, err := invoke(t.Context(), conn, sayHello, text(1, "you"))
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
	if log := p.log.String(); strings.Contains(log, "connection ended") {
		t.Error(log)
	}
}

// giveUp begins a call and cancels it.
func giveUp(ctx context.Context, conn *grpc.ClientConn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	_, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, sendStatus)
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

// TestUnreadAnswers has a client that reads nothing at all, so that it cannot be
// told.
func TestUnreadAnswers(t *testing.T) {
	t.Parallel()
	p := serve(t, "--max-held-bytes", "8388608")
	conn := dial(t, p.addr())
	stop, _ := flood(t, p.addr(), 2, attack{run: neverReads, unread: true})
	defer stop()
	eventually(t, "the server to end the attacker's connection", func() bool {
		_, err := invoke(timeout(t), conn, sayHello, text(1, "you"))
		must(t, err)
		return strings.Contains(p.log.String(), "MaxHeldBytes")
	})
}

// TestLargeHeaders sends one header that is larger than the limit: that costs the
// call, not the connection.
func TestLargeHeaders(t *testing.T) {
	t.Parallel()
	s := startLab(t, func(c *dynserver.Config) { c.GRPC.MaxHeaderBytes = 10_000 })
	f, err := dialFlooder(t.Context(), s.addr)
	must(t, err)
	defer f.Close()
	must(t, f.SetDeadline(time.Now().Add(patience)))
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	for _, size := range []int{9000, 10_000, 50_000, 500_000, 1 << 20, 1} {
		want := codes.OK
		if size > 9000 {
			want = codes.ResourceExhausted
		}
		id, err := f.call(labEcho, false, hpack.HeaderField{Name: "large", Value: strings.Repeat("x", size)})
		must(t, err)
		must(t, f.body(id, frame(0, nil)))
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
		must(t, err)
		if h, ok := frame.(*http2.MetaHeadersFrame); ok && h.StreamID == id {
			for _, field := range h.Fields {
				if field.Name == "grpc-status" {
					return field.Value
				}
			}
		}
	}
}

// TestUnreadLog serves with a log that nobody reads, and stops.
func TestUnreadLog(t *testing.T) {
	t.Parallel()
	for name, signals := range map[string]int{"drain": 1, "stop at once": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unread, log, err := os.Pipe()
			must(t, err)
			defer unread.Close()
			cmd := exec.Command(dyngate, "serve", "--grpc", "127.0.0.1:0", "--access-log", "1", "--log-format", "json")
			cmd.Stderr = log
			p := begin(t, cmd)
			must(t, log.Close())
			t.Cleanup(p.stop)
			p.awaitAddrs(patience)
			conn := dial(t, p.addr())
			for range 1000 { // more than a pipe holds
				_, err := invoke(timeout(t), conn, sayHello, text(1, "you"))
				must(t, err)
			}
			stream := open(timeout(t), t, conn, sendStatus)
			must(t, chat(stream, "in progress"))
			for range signals {
				p.signal(syscall.SIGTERM)
			}
			if signals == 1 {
				_, err = stream.done().all()
				must(t, err)
			}
			p.awaitExit()
			if p.err != nil {
				t.Errorf("dyngate: %v", p.err)
			}
		})
	}
}
