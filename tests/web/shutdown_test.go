package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// hold begins a call of lab.Lab/Hold, which sends a message and then waits for the end
// of the call. It returns the answer after that message.
func hold(t testing.TB, c *http.Client, url string) *bufio.Reader {
	t.Helper()
	req, err := http.NewRequestWithContext(rig.Context(t), http.MethodPost, url+lab.Hold, strings.NewReader("{}"))
	rig.Must(t, err)
	req.Header.Set("Content-Type", "application/json")
	res, err := c.Do(req)
	rig.Must(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	lines := bufio.NewReader(res.Body)
	if line, err := lines.ReadString('\n'); err != nil {
		t.Fatalf("%s: %q, %v", res.Status, line, err)
	}
	return lines
}

// TestDrain checks that streams in progress go on after SIGTERM, in all protocols.
func TestDrain(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--http", "127.0.0.1:0", "--drain", "1h")
	conn := rig.Dial(t, strings.TrimPrefix(p.URL(), "http://"))
	stream := rig.Open(rig.Context(t), t, conn, rig.SendStatus)
	rig.Must(t, rig.Chat(stream, "before"))
	health, err := healthpb.NewHealthClient(conn).Watch(rig.Context(t), new(healthpb.HealthCheckRequest))
	rig.Must(t, err)
	_, err = health.Recv()
	rig.Must(t, err)

	p.Signal(syscall.SIGTERM)
	for err == nil { // the server's own services end at once
		_, err = health.Recv()
	}
	if !errors.Is(err, io.EOF) {
		rig.WantCode(t, err, codes.Unavailable)
	}
	rig.Must(t, rig.Chat(stream, "while it drains"))
	rig.Eventually(t, "the port to close", func() bool {
		_, err := try(t, client(t, 1, nil), http.MethodPost, p.URL()+greet, ada)
		return err != nil
	})
	rig.Must(t, rig.Chat(stream, "still"))
	if p.Exited() {
		t.Fatal("it has ended before its last call has")
	}
	if _, err := stream.Done().All(); err != nil {
		t.Error(err)
	}
	rig.Must(t, p.Wait())
}

// TestCut ends a server with calls in progress. Their callers get UNAVAILABLE.
func TestCut(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	var rest []*bufio.Reader
	for version := range 2 {
		rest = append(rest, hold(t, client(t, version+1, nil), s.URL))
	}
	conn := rig.Dial(t, strings.TrimPrefix(s.URL, "http://"))
	stream := rig.Open(rig.Context(t), t, conn, lab.Hold).Send(nil).Done()
	stream.MustRecv()
	chat := rig.Open(rig.Context(t), t, conn, lab.Chat).Send(nil) // is reading
	chat.MustRecv()

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, dynserver.ErrCut) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	for _, call := range []*rig.Stream{stream, chat} {
		_, err := call.Recv()
		rig.WantCode(t, err, codes.Unavailable)
		rig.WantText(t, err.Error(), "the server is shutting down")
	}
	for _, lines := range rest {
		text, err := io.ReadAll(lines)
		rig.Must(t, err)
		rig.WantText(t, string(text), `"code":14`, "the server is shutting down")
	}
	rig.Must(t, <-s.Served)
}

// TestSecondSignal checks that a second signal does not wait for the drain.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--http", "127.0.0.1:0", "--drain", "1h", "--task-interval", "1h")
	conn := rig.Dial(t, strings.TrimPrefix(p.URL(), "http://"))
	stream := rig.Open(rig.Context(t), t, conn, rig.GetTask).Send(nil).Done()
	stream.MustRecv()
	p.Signal(syscall.SIGTERM)
	p.AwaitStderr("draining")
	p.SignalUntilExit(syscall.SIGTERM)
	_, err := stream.All()
	rig.WantCode(t, err, codes.Unavailable)
}
