package dynclient_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/examples"
	"github.com/dyngate/dyngate/protos"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve serves until the test ends, and returns the address.
func serve(t testing.TB, config dynserver.Config) string {
	t.Helper()
	config.Log = slog.New(slog.DiscardHandler)
	srv, err := dynserver.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(context.Background(), dynserver.GRPC(l)) }() // ends with Shutdown
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = srv.Shutdown(ctx)
		<-done
	})
	return l.Addr().String()
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// serveExamples serves the example services with their handlers.
func serveExamples(t testing.TB) string {
	t.Helper()
	reg := handlers.NewRegistry()
	if err := examples.Register(reg, examples.Options{}); err != nil {
		t.Fatal(err)
	}
	return serve(t, dynserver.Config{Sources: []dynserver.Source{dynserver.FS("protos", protos.FS)}, Handlers: reg})
}

// dial returns a client that is closed when the test ends.
func dial(t testing.TB, target string, opts ...dynclient.Option) *dynclient.Client {
	t.Helper()
	c, err := dynclient.Dial(t.Context(), target, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}
