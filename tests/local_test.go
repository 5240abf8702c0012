package tests

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"google.golang.org/grpc"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
)

// local is a server in this process.
type local struct {
	*dynserver.Server
	addr   string
	conn   *grpc.ClientConn
	log    *buffer
	stop   context.CancelFunc // as the end of Serve's context
	served chan error         // what Serve returned
}

// startLocal serves config until the test ends; then Serve must return nil,
// unless the test has taken its result from served.
func startLocal(t testing.TB, config dynserver.Config) *local {
	t.Helper()
	s := &local{log: new(buffer), served: make(chan error, 1)}
	if config.Log == nil {
		config.Log = slog.New(slog.NewTextHandler(s.log, nil))
	}
	srv, err := dynserver.New(t.Context(), config)
	must(t, err)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	s.Server, s.addr, s.stop = srv, lis.Addr().String(), stop
	go func() { // ends with the server
		s.served <- srv.Serve(ctx, dynserver.GRPC(lis))
		close(s.served)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-s.served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", tail(s.log.String(), 8000))
		}
	})
	s.conn = dial(t, s.addr)
	return s
}

// newServer makes a server that logs nothing.
func newServer(t testing.TB, config dynserver.Config) (*dynserver.Server, error) {
	t.Helper()
	config.Log = slog.New(slog.DiscardHandler)
	return dynserver.New(t.Context(), config)
}

// startProto serves one file with the handlers that register adds.
func startProto(t testing.TB, proto string, register func(*handlers.Registry)) *local {
	t.Helper()
	return startLocal(t, protoConfig(t, proto, register))
}

func protoConfig(t testing.TB, proto string, register func(*handlers.Registry)) dynserver.Config {
	t.Helper()
	reg := handlers.NewRegistry()
	if register != nil {
		register(reg)
	}
	return dynserver.Config{
		Sources:  []dynserver.Source{dynserver.Path(folder(t, map[string]string{"test.proto": proto}))},
		Handlers: reg,
	}
}
