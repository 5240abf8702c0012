package dispatch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/dyngate/dyngate/handlers"
)

// web is a call of a front that knows nothing of grpc.
type web struct {
	wire
	header, trailer metadata.MD
	sent            bool
}

func (w *web) Peer() handlers.Peer {
	return handlers.Peer{
		Protocol: "connect", Addr: &net.UnixAddr{Name: "caller"}, LocalAddr: &net.UnixAddr{Name: "server"},
		TLS: &tls.ConnectionState{ServerName: "here"},
	}
}

func (w *web) Header() metadata.MD { return metadata.Pairs("who", "Ada") }

func (w *web) SetHeader(md metadata.MD) error {
	if w.sent {
		return errors.New("too late")
	}
	w.header = metadata.Join(w.header, md)
	return nil
}

func (w *web) SendHeader(md metadata.MD) error {
	defer func() { w.sent = true }()
	return w.SetHeader(md)
}

func (w *web) SetTrailer(md metadata.MD) { w.trailer = metadata.Join(w.trailer, md) }

// checkContext uses all of grpc's functions.
func checkContext(ctx context.Context, where string) error {
	md, _ := metadata.FromIncomingContext(ctx)
	from, _ := peer.FromContext(ctx)
	info, _ := from.AuthInfo.(credentials.TLSInfo)
	path, _ := grpc.Method(ctx)
	call := handlers.CallFrom(ctx)
	got := fmt.Sprintf("%v %v %v %s %s %s %s", md["who"], from.Addr, from.LocalAddr, info.State.ServerName, path, call.Peer().Protocol, handlers.MethodFrom(ctx).Path())
	if want := "[Ada] caller server here /p.A/Call connect p.A/Call"; got != want {
		return fmt.Errorf("%s: %s, want %s", where, got, want)
	}
	return errors.Join(
		grpc.SetHeader(ctx, metadata.Pairs("set", where)),
		grpc.SetTrailer(ctx, metadata.Pairs("end", where)),
		call.SetHeader(metadata.Pairs("set", where+" itself")))
}

type named struct{ Name string }

// TestContextOfACall asks for everything that a context has, in middleware, in a
// raw and in a typed handler, below middleware that has changed it.
func TestContextOfACall(t *testing.T) {
	typed := handlers.Unary(func(ctx context.Context, in *named) (*named, error) {
		return in, errors.Join(checkContext(ctx, "handler"), grpc.SendHeader(ctx, nil))
	})
	raw := handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) {
		return handlers.HandlerFunc(func(ctx context.Context, call handlers.Call) error {
			data, err := call.Recv()
			if err != nil {
				return err
			}
			data.Free()
			return errors.Join(checkContext(ctx, "handler"), call.SendHeader(nil), call.Send(mem.BufferSlice{}))
		}), nil
	})
	for name, impl := range map[string]handlers.Implementation{"typed": typed, "raw": raw} {
		t.Run(name, func(t *testing.T) {
			reg := handlers.NewRegistry()
			reg.Handle("**", impl)
			b := newBench(t, reg)
			b.input.Middleware = []handlers.Middleware{
				func(next handlers.Handler) handlers.Handler {
					return handlers.HandlerFunc(func(ctx context.Context, call handlers.Call) error {
						if err := checkContext(ctx, "middleware"); err != nil {
							return err
						}
						ctx, cancel := context.WithCancel(ctx)
						defer cancel()
						return next.ServeRPC(ctx, call)
					})
				},
				handlers.AccessLog(b.builder.Log, 1),
			}
			route := b.reload(map[string]string{"a.proto": service("A", "")}).Route("/p.A/Call")
			w := &web{wire: wire{method: route.Method, in: 1, data: "\n\x01x"}}
			if err := route.Serve(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			if got, want := fmt.Sprint(w.header["set"], w.trailer["end"], w.sent, w.out),
				"[middleware middleware itself handler handler itself] [middleware handler] true 1"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// TestContextIsShared asks a context from many goroutines for what it has not.
func TestContextIsShared(t *testing.T) {
	ctx := &callContext{Context: t.Context(), call: new(web)}
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if md, _ := metadata.FromIncomingContext(ctx); len(md["who"]) != 1 {
				t.Errorf("metadata %v", md)
			}
			if ctx.Value("what is not there") != nil {
				t.Error("a value that nobody has set")
			}
		})
	}
	all.Wait()
}
