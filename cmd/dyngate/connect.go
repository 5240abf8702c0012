package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/pflag"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"

	"github.com/dyngate/dyngate/dynclient"
)

// connectFlags are the settings for reaching a server and finding its schema.
type connectFlags struct {
	headers        []string
	deadline       time.Duration
	tls            bool
	ca, cert, key  string
	serverName     string
	skipVerify     bool
	authority      string
	connectTimeout time.Duration
	protocol       string // of URLs; "" is for what the target implies

	schemaFlags
}

// register registers the flags. It takes the default of --deadline.
func (f *connectFlags) register(flags *pflag.FlagSet, deadline time.Duration) {
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "send `'NAME: VALUE'` as metadata, also to reflection; the value of a NAME that ends in -bin is base64; repeatable")
	flags.DurationVar(&f.deadline, "deadline", deadline, "how long the command may take; 0 for no limit")
	flags.Var(choice{&f.protocol, protocols}, "protocol", "protocol of calls (default: connect if TARGET is a URL, or else grpc)")
	flags.BoolVar(&f.tls, "tls", false, "use TLS; --ca, --cert, --server-name and --insecure-skip-verify imply it")
	flags.StringVar(&f.ca, "ca", "", "trust the certificates in `FILE` (PEM) instead of the system's")
	flags.StringVar(&f.cert, "cert", "", "client certificate in `FILE` (PEM); needs --key")
	flags.StringVar(&f.key, "key", "", "key of the client certificate in `FILE` (PEM)")
	flags.StringVar(&f.serverName, "server-name", "", "`NAME` that the server's certificate must have (default: the target's host)")
	flags.BoolVar(&f.skipVerify, "insecure-skip-verify", false, "accept any certificate (insecure: others may read and change the data)")
	flags.StringVar(&f.authority, "authority", "", "`HOST` to send as the :authority")
	flags.DurationVar(&f.connectTimeout, "connect-timeout", 10*time.Second, "how long one attempt to connect may take")
	f.schemaFlags.register(flags)
	flags.BoolVar(&f.reflection, "reflection", false, "ask the server for names that --proto and --descriptors do not declare")
}

// begin checks the flags, and returns a context that sends the metadata of -H.
func (f *connectFlags) begin(ctx context.Context) (context.Context, error) {
	md, err := parseHeaders(f.headers)
	if err := errors.Join(f.check(), err); err != nil {
		return nil, usageError{err}
	}
	return metadata.NewOutgoingContext(ctx, md), nil
}

// check reports what is wrong with the flags for times and files.
func (f *connectFlags) check() error {
	switch {
	case f.deadline < 0:
		return fmt.Errorf("--deadline: %s is negative", f.deadline)
	case f.connectTimeout < 0:
		return fmt.Errorf("--connect-timeout: %s is negative", f.connectTimeout)
	}
	return f.schemaFlags.check()
}

// within ends ctx with --deadline.
func (f *connectFlags) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if f.deadline == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, f.deadline)
}

// dial returns a client of a target, and a function that closes it. Files are read
// when the schema is first used. The handler of statistics may be nil.
func (f *connectFlags) dial(target string, handler stats.Handler) (*dynclient.Client, func(), error) {
	target, err := normalTarget(target)
	if err != nil {
		return nil, nil, usageError{err}
	}
	conn, err := f.connect(target, handler)
	if err != nil {
		return nil, nil, usageError{err}
	}
	client := dynclient.New(conn, dynclient.WithSources(f.sources()...), dynclient.WithSchemaProgress(newProgress(os.Stderr).files))
	return client, func() { _ = client.Close(); _ = conn.Close() }, nil
}

// connection is what calls go over.
type connection interface {
	grpc.ClientConnInterface
	io.Closer
}

// connect returns a connection to a target.
func (f *connectFlags) connect(target string, handler stats.Handler) (connection, error) {
	if f.overHTTP(target) {
		return f.connectHTTP(target, handler)
	}
	options, err := f.options()
	if err != nil {
		return nil, err
	}
	if handler != nil {
		options = append(options, grpc.WithStatsHandler(handler))
	}
	return grpc.NewClient(target, options...)
}

// usesTLS reports whether a flag asks for TLS.
func (f *connectFlags) usesTLS() bool {
	return f.tls || f.ca != "" || f.cert != "" || f.key != "" || f.serverName != "" || f.skipVerify
}

// options are the settings of a target of gRPC.
func (f *connectFlags) options() ([]grpc.DialOption, error) {
	opts := []grpc.DialOption{
		grpc.WithUserAgent("dyngate"),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: f.connectTimeout}),
	}
	if f.authority != "" {
		opts = append(opts, grpc.WithAuthority(f.authority))
	}
	if !f.usesTLS() {
		return append(opts, grpc.WithTransportCredentials(insecure.NewCredentials())), nil
	}
	config, err := f.tlsConfig()
	if err != nil {
		return nil, err
	}
	return append(opts, grpc.WithTransportCredentials(credentials.NewTLS(config))), nil
}

func (f *connectFlags) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         f.serverName,
		InsecureSkipVerify: f.skipVerify, //nolint:gosec // the user says so
	}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--ca: %s has no PEM certificate", f.ca)
		}
	}
	if (f.cert == "") != (f.key == "") {
		return nil, errors.New("--cert and --key must be given together")
	}
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, fmt.Errorf("--cert, --key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
