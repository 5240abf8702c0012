package grpcfront

import (
	"context"
	"errors"
	"net/http"

	"google.golang.org/grpc"
)

// errUnary refuses options with which a check, of credentials for one, would be left
// out silently.
var errUnary = errors.New("GRPC.ServerOptions has a unary interceptor, which would never run: " +
	"use a stream interceptor in GRPC.Interceptors, which runs for all calls, or middleware")

// Check reports options that cannot work.
func (o Options) Check() error {
	if len(o.ServerOptions) > 0 && hasUnaryInterceptor(o.ServerOptions) {
		return errUnary
	}
	return nil
}

// hasUnaryInterceptor reports whether options of a grpc.Server add a unary interceptor,
// but does not run it. Options are opaque, but a server hands the interceptor to the
// generated code of a unary method. So a server with these options gets such a method
// and one call, without a connection.
func hasUnaryInterceptor(opts []grpc.ServerOption) (found bool) {
	probe := func(_ any, _ context.Context, _ func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		found = interceptor != nil
		return nil, errUnary // ends the call
	}
	server := grpc.NewServer(opts...)
	defer server.Stop()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "dyngate.internal.Probe",
		Methods:     []grpc.MethodDesc{{MethodName: "Unary", Handler: probe}},
	}, nil)
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "/dyngate.internal.Probe/Unary", http.NoBody)
	if err != nil {
		return false
	}
	req.ProtoMajor = 2
	req.Header.Set("Content-Type", "application/grpc")
	server.ServeHTTP(ignored{}, req) // returns when the call has ended
	return found
}

// ignored is an http.ResponseWriter for an answer that nobody reads.
type ignored struct{}

func (ignored) Header() http.Header         { return make(http.Header) }
func (ignored) Write(p []byte) (int, error) { return len(p), nil }
func (ignored) WriteHeader(int)             {}
func (ignored) Flush()                      {}
