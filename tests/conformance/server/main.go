// Command server is dyngate as the server that connectrpc's conformance suite tests.
// It serves the suite's service from its .proto files.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/grpc/credentials"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
)

//go:embed protos
var protos embed.FS

func main() {
	grpcPort := flag.Bool("grpc", false, "serve the gRPC port instead of the HTTP port")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, *grpcPort); err != nil {
		fmt.Fprintln(os.Stderr, "conformance server:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to stop
	}
}

// run serves what the suite asks for on standard input.
func run(ctx context.Context, grpcPort bool) error {
	want, err := readRequest(os.Stdin)
	if err != nil {
		return err
	}
	server, err := newServer(ctx, want)
	if err != nil {
		return err
	}
	lis, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	port := lis.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // it listens on tcp
	if err := writeResponse(os.Stdout, port, want); err != nil {
		return err
	}
	if grpcPort {
		return server.Serve(ctx, dynserver.GRPC(lis))
	}
	return server.Serve(ctx, dynserver.HTTP(lis))
}

func newServer(ctx context.Context, want *request) (*dynserver.Server, error) {
	sources, err := fs.Sub(protos, "protos")
	if err != nil {
		return nil, err
	}
	reg := handlers.NewRegistry()
	register(reg)
	config := dynserver.Config{
		Sources:    []dynserver.Source{dynserver.FS("conformance", sources)},
		Handlers:   reg,
		Middleware: []handlers.Middleware{record},
		GRPC:       dynserver.GRPCOptions{MaxRecvBytes: want.receiveLimit},
		HTTP:       dynserver.HTTPOptions{MaxRecvBytes: want.receiveLimit},
		Log:        slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	if want.tls {
		secure, err := tlsConfig(want)
		if err != nil {
			return nil, err
		}
		config.HTTP.TLS = secure
		config.GRPC.Credentials = credentials.NewTLS(secure)
	}
	return dynserver.New(ctx, config)
}

func tlsConfig(want *request) (*tls.Config, error) {
	cert, err := tls.X509KeyPair(want.cert, want.key)
	if err != nil {
		return nil, err
	}
	out := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if len(want.clientCert) == 0 {
		return out, nil
	}
	out.ClientCAs = x509.NewCertPool()
	if !out.ClientCAs.AppendCertsFromPEM(want.clientCert) {
		return nil, errors.New("the client's certificate is not PEM")
	}
	out.ClientAuth = tls.RequireAndVerifyClientCert
	return out, nil
}
