package web

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestWebSocketsAtShutdown ends one WebSocket while the server drains, and has another
// one cut.
func TestWebSocketsAtShutdown(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	ctx := rig.Context(t)
	talk := func(conn *websocket.Conn) {
		t.Helper()
		rig.Must(t, conn.Write(ctx, websocket.MessageText, []byte(`{"text":"a"}`)))
		if _, doc, err := conn.Read(ctx); err != nil || string(doc) != `{"text":"a"}` {
			t.Fatalf("got %s, %v", doc, err)
		}
	}
	connect := func() *websocket.Conn {
		t.Helper()
		conn, _, err := websocket.Dial(ctx, s.URL+lab.Chat, nil)
		rig.Must(t, err)
		t.Cleanup(func() { _ = conn.CloseNow() })
		talk(conn)
		return conn
	}
	first, second := connect(), connect()
	limit, cut := context.WithCancel(ctx)
	defer cut()
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(limit) }() // ends with the second WebSocket
	rig.Eventually(t, "the drain", func() bool {
		conn, _, err := websocket.Dial(ctx, s.URL+lab.Chat, nil)
		if err == nil {
			_ = conn.CloseNow()
		}
		return err != nil
	})
	talk(first)
	rig.Must(t, first.Write(ctx, websocket.MessageText, nil))
	if _, _, err := first.Read(ctx); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("the first ended with %v", err)
	}
	talk(second)
	cut()
	_, _, err := second.Read(ctx)
	var end websocket.CloseError
	if !errors.As(err, &end) || end.Code != websocket.StatusGoingAway || !strings.Contains(end.Reason, "shutting down") {
		t.Errorf("the second ended with %v", err)
	}
	if err := <-done; !errors.Is(err, dynserver.ErrCut) {
		t.Errorf("Shutdown: %v", err)
	}
	<-s.Served
}
