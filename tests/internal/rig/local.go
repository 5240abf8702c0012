package rig

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"google.golang.org/grpc"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
)

// Server is a server in this process.
type Server struct {
	*dynserver.Server
	Addr   string
	URL    string // of the HTTP port
	Conn   *grpc.ClientConn
	Log    *Buffer
	Stop   context.CancelFunc // ends the context of Serve
	Served chan error         // what Serve returned; then it is closed
}

// Local serves config until the test ends. Serve must then return nil, unless the
// test has received its result from Served.
func Local(t testing.TB, config dynserver.Config) *Server {
	t.Helper()
	s := &Server{Log: new(Buffer), Served: make(chan error, 1)}
	if config.Log == nil {
		config.Log = slog.New(slog.NewTextHandler(s.Log, nil))
	}
	srv, err := dynserver.New(t.Context(), config)
	Must(t, err)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	Must(t, err)
	web, err := net.Listen("tcp", "127.0.0.1:0")
	Must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	s.Server, s.Addr, s.Stop = srv, lis.Addr().String(), stop
	s.URL = "http://" + web.Addr().String()
	if config.HTTP.TLS != nil {
		s.URL = "https://" + web.Addr().String()
	}
	go func() { // ends with the server
		s.Served <- srv.Serve(ctx, dynserver.GRPC(lis), dynserver.HTTP(web))
		close(s.Served)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-s.Served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", tail(s.Log.String()))
		}
	})
	s.Conn = Dial(t, s.Addr)
	return s
}

// New makes a server that logs nothing.
func New(t testing.TB, config dynserver.Config) (*dynserver.Server, error) {
	t.Helper()
	config.Log = slog.New(slog.DiscardHandler)
	return dynserver.New(t.Context(), config)
}

// Config configures a server of one file, with the handlers that register adds.
func Config(t testing.TB, proto string, register func(*handlers.Registry)) dynserver.Config {
	t.Helper()
	reg := handlers.NewRegistry()
	if register != nil {
		register(reg)
	}
	return dynserver.Config{
		Sources:  []dynserver.Source{dynserver.Path(Folder(t, map[string]string{"test.proto": proto}))},
		Handlers: reg,
	}
}

// AnswerAll has every unary method of every service answer with its request.
func AnswerAll(reg *handlers.Registry) {
	reg.Handle("**", handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) {
		return handlers.HandlerFunc(func(_ context.Context, call handlers.Call) error {
			in, err := call.Recv()
			if err != nil {
				return err
			}
			return call.Send(in)
		}), nil
	}))
}

// LocalGRPC serves what register adds to a plain server of grpc-go until the test
// ends, and returns its address.
func LocalGRPC(t testing.TB, register func(*grpc.Server), opts ...grpc.ServerOption) string {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	Must(t, err)
	srv := grpc.NewServer(opts...)
	register(srv)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(lis) }() // ends with the server
	t.Cleanup(func() {
		srv.Stop()
		Must(t, <-served)
	})
	return lis.Addr().String()
}
