package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/testdata"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// journal is a list of observations.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) has(line string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Contains(j.lines, line)
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// statsJournal is a stats.Handler that keeps a journal.
type statsJournal struct{ *journal }

type rpcKey struct{}

func (j statsJournal) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, rpcKey{}, info.FullMethodName)
}

func (j statsJournal) HandleRPC(ctx context.Context, s stats.RPCStats) {
	switch s := s.(type) {
	case *stats.Begin:
		j.add("stats %v %v %v", ctx.Value(rpcKey{}), s.IsClientStream, s.IsServerStream)
	case *stats.End:
		j.add("end %v %v", ctx.Value(rpcKey{}), status.Code(s.Error))
	}
}

func (statsJournal) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (statsJournal) HandleConn(context.Context, stats.ConnStats)                       {}

// TestObservers checks that interceptors and stats handlers see each method's
// true shape, and that middleware sees statuses.
func TestObservers(t *testing.T) {
	t.Parallel()
	var seen journal
	s := lab.Start(t, func(c *dynserver.Config) {
		c.GRPC.StatsHandlers = []stats.Handler{statsJournal{&seen}}
		c.GRPC.Interceptors = []grpc.StreamServerInterceptor{
			func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
				err := next(srv, stream)
				seen.add("interceptor %s %v %v %v", info.FullMethod, info.IsClientStream, info.IsServerStream, status.Code(err))
				return err
			},
		}
		c.Middleware = []handlers.Middleware{observe(&seen, "outer"), observe(&seen, "inner")}
	})
	shapes := map[string][2]bool{
		lab.Echo: {false, false}, lab.EchoDynamic: {false, false}, lab.Up: {true, false}, lab.Down: {false, true}, lab.Chat: {true, true},
	}
	for path, shape := range shapes {
		_, err := rig.Open(rig.Context(t), t, s.Conn, path).Send(nil).Done().All()
		rig.Must(t, err)
		for _, line := range []string{
			fmt.Sprintf("stats %s %v %v", path, shape[0], shape[1]),
			fmt.Sprintf("end %s OK", path),
			fmt.Sprintf("interceptor %s %v %v OK", path, shape[0], shape[1]),
			fmt.Sprintf("outer %s OK after inner", strings.TrimPrefix(path, "/")),
		} {
			rig.Eventually(t, line, func() bool { return seen.has(line) })
		}
	}
	_, err := rig.Invoke(rig.Context(t), s.Conn, lab.Fail, rig.Text(1, "panic"))
	rig.WantCode(t, err, codes.Internal)
	_, err = rig.Invoke(rig.Context(t), s.Conn, "/lab.Lab/Unknown", nil)
	rig.WantCode(t, err, codes.Unimplemented)
	for _, line := range []string{
		"interceptor /lab.Lab/Fail false false Internal",
		"outer lab.Lab/Fail Internal after inner",
		"end /lab.Lab/Unknown Unimplemented",
	} {
		rig.Eventually(t, line, func() bool { return seen.has(line) })
	}
}

// observe is a middleware that notes each call.
func observe(seen *journal, name string) handlers.Middleware {
	return func(next handlers.Handler) handlers.Handler {
		return handlers.HandlerFunc(func(ctx context.Context, call handlers.Call) error {
			err := next.ServeRPC(ctx, call)
			seen.add("%s %s %v after inner", name, call.Method().Path(), status.Code(err))
			return err
		})
	}
}

// TestCallInMiddleware uses the metadata and the peer of a call in middleware, with
// and without TLS.
func TestCallInMiddleware(t *testing.T) {
	t.Parallel()
	serverTLS, err := credentials.NewServerTLSFromFile(testdata.Path("server1.pem"), testdata.Path("server1.key"))
	rig.Must(t, err)
	for name, test := range map[string]struct {
		server, client credentials.TransportCredentials
	}{
		"plain": {nil, insecure.NewCredentials()},
		"TLS":   {serverTLS, credentials.NewTLS(&tls.Config{InsecureSkipVerify: true, ServerName: "here"})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := lab.Start(t, func(c *dynserver.Config) {
				c.GRPC.Credentials, c.Middleware = test.server, []handlers.Middleware{stamp}
			})
			conn := rig.Dial(t, s.Addr, grpc.WithTransportCredentials(test.client))
			for _, method := range []string{lab.Echo, lab.Raw} {
				var header, trailer metadata.MD
				ctx := metadata.AppendToOutgoingContext(rig.Context(t), "who", "Ada")
				_, err := rig.Invoke(ctx, conn, method, nil, grpc.Header(&header), grpc.Trailer(&trailer))
				rig.Must(t, err)
				got := fmt.Sprint(header["stamp"], trailer["stamp"])
				if want := fmt.Sprintf("[Ada grpc 127.0.0.1 %s %t] [end]", s.Addr, test.server != nil); got != want {
					t.Errorf("%s: got %s, want %s", method, got, want)
				}
			}
		})
	}
}

// stamp is a middleware that returns to the caller what it knows about the caller.
func stamp(next handlers.Handler) handlers.Handler {
	return handlers.HandlerFunc(func(ctx context.Context, call handlers.Call) error {
		from := handlers.CallFrom(ctx).Peer()
		host, _, err := net.SplitHostPort(from.Addr.String())
		if err != nil {
			return err
		}
		text := fmt.Sprint(call.Header()["who"][0], " ", from.Protocol, " ", host, " ", from.LocalAddr, " ", from.TLS != nil && from.TLS.ServerName == "here")
		call.SetTrailer(metadata.Pairs("stamp", "end"))
		if err := call.SetHeader(metadata.Pairs("stamp", text)); err != nil {
			return err
		}
		return next.ServeRPC(ctx, call)
	})
}

// TestMiddlewareFaults checks that middleware which panics or fails without a
// status is handled like a handler that does.
func TestMiddlewareFaults(t *testing.T) {
	t.Parallel()
	for name, middleware := range map[string]handlers.Middleware{
		"panic": func(handlers.Handler) handlers.Handler {
			return handlers.HandlerFunc(func(context.Context, handlers.Call) error { panic("a secret panic") })
		},
		"error": func(handlers.Handler) handlers.Handler {
			return handlers.HandlerFunc(func(context.Context, handlers.Call) error { return errors.New("a secret error") })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := lab.Start(t, func(c *dynserver.Config) { c.Middleware = []handlers.Middleware{middleware} })
			for range 3 {
				_, err := rig.Invoke(rig.Context(t), s.Conn, lab.Echo, nil)
				if st := status.Convert(err); st.Code() != codes.Internal || st.Message() != "internal error" {
					t.Errorf("got %v", err)
				}
			}
			rig.WantText(t, s.Log.String(), "a secret "+name)
		})
	}
}

// TestAccessLog checks --access-log: failed calls are all logged, of
// the others the share that the flag sets.
func TestAccessLog(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--access-log", "1", "--log-format", "json")
	conn := rig.Dial(t, p.Addr())
	_, err := rig.Invoke(rig.Context(t), conn, "/Cal/Add", rig.Number(1, 1))
	rig.Must(t, err)
	_, err = rig.Invoke(rig.Context(t), conn, "/Cal/Add", slices.Concat(rig.Number(1, 1<<31-1), rig.Number(2, 1)))
	rig.WantCode(t, err, codes.OutOfRange)
	p.AwaitStderr(
		`"msg":"call","method":"Cal/Add","code":"OK"`, `"in":1,"in_bytes":2,"out":1,"out_bytes":2`, `"peer":"127.0.0.1:`,
		`"level":"WARN","msg":"call","method":"Cal/Add","code":"OutOfRange"`,
	)
}

// TestTwoServers runs two servers in one process whose schemas declare the same names
// with different meanings.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	type reply struct{ Text string }
	answer := func(s string) func(*handlers.Registry) {
		return func(reg *handlers.Registry) {
			reg.Handle("twin.Twin/Do", handlers.Unary(func(context.Context, *struct{}) (*reply, error) { return &reply{s}, nil }))
		}
	}
	proto := func(n string) string {
		return "syntax = \"proto3\"; package twin; service Twin { rpc Do(Q) returns (R); } message Q {} message R { string text = " + n + "; }"
	}
	a := rig.Local(t, rig.Config(t, proto("1"), answer("a")))
	b := rig.Local(t, rig.Config(t, proto("2"), answer("b")))
	for range 3 {
		out, err := rig.Invoke(rig.Context(t), a.Conn, "/twin.Twin/Do", nil)
		if err != nil || rig.TextOf(out, 1) != "a" || rig.TextOf(out, 2) != "" {
			t.Errorf("a: %x, %v", out, err)
		}
		out, err = rig.Invoke(rig.Context(t), b.Conn, "/twin.Twin/Do", nil)
		if err != nil || rig.TextOf(out, 2) != "b" || rig.TextOf(out, 1) != "" {
			t.Errorf("b: %x, %v", out, err)
		}
	}
	a.Stop()
	if err := <-a.Served; err != nil {
		t.Error(err)
	}
	_, err := rig.Invoke(rig.Context(t), b.Conn, "/twin.Twin/Do", nil)
	rig.Must(t, err)
}
