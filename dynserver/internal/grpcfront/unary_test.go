package grpcfront

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/tap"
)

// TestUnaryInterceptors checks that unary interceptors among the options are found in
// every form, and that no interceptor runs for that.
func TestUnaryInterceptors(t *testing.T) {
	unary := func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
		t.Error("the unary interceptor runs")
		return nil, nil
	}
	stream := func(any, grpc.ServerStream, *grpc.StreamServerInfo, grpc.StreamHandler) error {
		t.Error("the stream interceptor runs")
		return nil
	}
	refuse := func(ctx context.Context, _ *tap.Info) (context.Context, error) {
		t.Error("the tap handle runs")
		return ctx, nil
	}
	others := []grpc.ServerOption{
		grpc.StreamInterceptor(stream), grpc.MaxRecvMsgSize(1), grpc.NumStreamWorkers(3), grpc.MaxConcurrentStreams(0),
		grpc.InTapHandle(refuse), grpc.WaitForHandlers(true), grpc.MaxHeaderListSize(1),
		grpc.EmptyServerOption{},
	}
	for name, test := range map[string]struct {
		opts  []grpc.ServerOption
		found bool
	}{
		"none":    {nil, false},
		"others":  {others, false},
		"one":     {[]grpc.ServerOption{grpc.UnaryInterceptor(unary)}, true},
		"chained": {[]grpc.ServerOption{grpc.ChainUnaryInterceptor(unary)}, true},
		"both":    {append([]grpc.ServerOption{grpc.ChainUnaryInterceptor(unary, unary), grpc.UnaryInterceptor(unary)}, others...), true},
	} {
		if err := (Options{ServerOptions: test.opts}).Check(); (err != nil) != test.found {
			t.Errorf("%s: %v", name, err)
		}
	}
}
