package dispatch

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/handlers"
)

// acting is a handler that does one thing after the other: receive, send, end,
// and then declines or fails.
func acting(t *testing.T, acts string) handlers.Implementation {
	return handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) {
		return handlers.HandlerFunc(func(ctx context.Context, call handlers.Call) error {
			md := metadata.Pairs("set", acts)
			for _, act := range strings.Fields(acts) {
				switch act {
				case "recv":
					data, err := call.Recv()
					if err != nil {
						return err
					}
					if got := string(data.Materialize()); got != "\n\x01x" {
						t.Errorf("%s: received %q", acts, got)
					}
					data.Free()
				case "end":
					if _, err := call.Recv(); !errors.Is(err, io.EOF) {
						t.Errorf("%s: received %v, want the end", acts, err)
					}
				case "send":
					if err := call.Send(mem.BufferSlice{mem.SliceBuffer("y")}); err != nil {
						return err
					}
				case "header":
					if err := call.SendHeader(nil); err != nil {
						return err
					}
				case "set":
					if err := call.SetHeader(md); err != nil {
						return err
					}
				case "set-nothing":
					call.SetTrailer(nil)
					if err := call.SetHeader(nil); err != nil {
						return err
					}
				case "trailer":
					call.SetTrailer(md)
				case "grpc-set":
					if err := grpc.SetHeader(ctx, md); err != nil {
						return err
					}
				case "grpc-header":
					if err := grpc.SendHeader(ctx, md); err != nil {
						return err
					}
				case "grpc-trailer":
					if err := grpc.SetTrailer(ctx, md); err != nil {
						return err
					}
				case "from-context":
					handlers.CallFrom(ctx).SetTrailer(md)
				case "decline":
					return handlers.ErrDeclined
				case "fail":
					return status.Error(codes.Aborted, "failed")
				}
			}
			return nil
		}), nil
	})
}

func TestDecline(t *testing.T) {
	const methods = "rpc Down(AMsg) returns (stream AMsg); rpc Up(stream AMsg) returns (AMsg);"
	for _, test := range []struct {
		method   string
		handlers []string
		in       int
		code     codes.Code
		out      int
	}{
		{"Call", []string{"decline", "recv send"}, 1, codes.OK, 1},
		{"Call", []string{"recv decline", "recv end send"}, 1, codes.OK, 1},
		{"Call", []string{"recv end decline", "decline", "recv decline", "recv end send"}, 1, codes.OK, 1},
		{"Call", []string{"recv decline", "recv fail", "recv send"}, 1, codes.Aborted, 0},
		{"Call", []string{"recv send", "recv send"}, 1, codes.OK, 1},
		{"Call", []string{"decline", "recv decline"}, 1, codes.Unimplemented, 0},
		{"Call", []string{"decline"}, 1, codes.Unimplemented, 0},
		{"Call", []string{"recv send decline", "recv send"}, 1, codes.Internal, 0},
		{"Call", []string{"decline", "recv send"}, 2, codes.Unimplemented, 0},
		{"Call", []string{"decline", "send"}, 0, codes.Unimplemented, 0},
		{"Down", []string{"recv decline", "recv send send send"}, 1, codes.OK, 3},
		{"Down", []string{"header decline", "recv send"}, 1, codes.Internal, 0},
		{"Down", []string{"send decline", "recv send"}, 1, codes.Internal, 1},
		{"Call", []string{"set decline", "recv send"}, 1, codes.Internal, 0},
		{"Call", []string{"set-nothing decline", "recv send"}, 1, codes.OK, 1},
		{"Call", []string{"trailer decline", "recv send"}, 1, codes.Internal, 0},
		{"Call", []string{"grpc-set decline", "recv send"}, 1, codes.Internal, 0},
		{"Call", []string{"grpc-header decline", "recv send"}, 1, codes.Internal, 0},
		{"Call", []string{"grpc-trailer decline", "recv send"}, 1, codes.Internal, 0},
		{"Call", []string{"from-context decline", "recv send"}, 1, codes.Internal, 0},
		{"Call", []string{"decline", "recv set grpc-set trailer grpc-trailer from-context send"}, 1, codes.OK, 1},
		{"Up", []string{"recv decline", "recv recv recv end send"}, 3, codes.OK, 1},
		{"Up", []string{"recv recv decline", "recv recv recv end send"}, 3, codes.Internal, 0},
	} {
		a := new(answers)
		for i, acts := range test.handlers {
			reg := registration("p.A ?", acting(t, acts))
			reg.Rank = -i
			a.list = append(a.list, reg)
		}
		b := newBench(t, handlers.NewRegistry())
		b.reload(map[string]string{"a.proto": service("A", methods)})
		b.input.Leases = []*Lease{NewLease(a.list, a.Release)}
		g, diags := b.builder.Build(nil, b.input)
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		route := g.Route("/p.A/" + test.method)
		for _, front := range []string{"web", "grpc"} {
			w := &web{wire: wire{method: route.Method, in: test.in, data: "\n\x01x"}}
			ctx := t.Context()
			if front == "grpc" { // whose contexts have a stream
				ctx = grpc.NewContextWithServerTransportStream(ctx, transportStream{w})
			}
			err := route.Serve(ctx, w)
			if status.Code(err) != test.code || w.out != test.out {
				t.Errorf("%s: %s by %q: %v, %d answers; want %v, %d", front, test.method, test.handlers, err, w.out, test.code, test.out)
			}
		}
	}
}

// late is a call whose first message comes when it is let go.
type late struct {
	web
	letGo chan struct{}
}

func (l *late) Recv() (mem.BufferSlice, error) {
	<-l.letGo
	return l.web.Recv()
}

// TestDeclineWhileReceiving has a handler that may decline leave a goroutine
// behind, which receives.
func TestDeclineWhileReceiving(t *testing.T) {
	l := &late{web: web{wire: wire{in: 1}}, letGo: make(chan struct{})}
	received := make(chan struct{})
	leaves := handlers.HandlerFunc(func(_ context.Context, call handlers.Call) error {
		go func() { // ends soon
			defer close(received)
			if _, err := call.Recv(); err != nil {
				t.Error(err)
			}
		}()
		go close(l.letGo)
		return nil
	})
	if err := firstWilling([]handlers.Handler{leaves, leaves}).ServeRPC(t.Context(), l); err != nil {
		t.Error(err)
	}
	<-received
}

// TestLastMustFit binds what goes after what may decline, and nothing further.
func TestLastMustFit(t *testing.T) {
	unfit := handlers.ImplementationFunc(func(*handlers.Method) (handlers.Handler, error) { return nil, errors.New("it does not fit") })
	for _, test := range []struct {
		first string
		diags int
	}{{"p.A ?", 1}, {"p.A", 0}} {
		b := newBench(t, handlers.NewRegistry())
		b.reload(map[string]string{"a.proto": service("A", "")})
		b.input.Leases = []*Lease{NewLease([]*handlers.Registration{registration(test.first, echo), registration("**", unfit)}, func() {})}
		if _, diags := b.builder.Build(nil, b.input); len(diags) != test.diags {
			t.Errorf("after %s: %v, want %d", test.first, diags, test.diags)
		}
	}
}
