package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/pflag"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"

	"github.com/dyngate/dyngate/dynclient"
)

// connectFlags say how to reach a server and where its schema is.
type connectFlags struct {
	tls            bool
	ca, cert, key  string
	serverName     string
	skipVerify     bool
	authority      string
	connectTimeout time.Duration

	schemaFlags
}

func (f *connectFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.tls, "tls", false, "use TLS; --ca, --cert, --server-name and --insecure-skip-verify imply it")
	flags.StringVar(&f.ca, "ca", "", "trust the certificates in `FILE` (PEM) instead of the system's")
	flags.StringVar(&f.cert, "cert", "", "client certificate in `FILE` (PEM); needs --key")
	flags.StringVar(&f.key, "key", "", "key of the client certificate in `FILE` (PEM)")
	flags.StringVar(&f.serverName, "server-name", "", "`NAME` that the server's certificate must have (default: the target's host)")
	flags.BoolVar(&f.skipVerify, "insecure-skip-verify", false, "take any certificate: whoever is in between can read and change all")
	flags.StringVar(&f.authority, "authority", "", "`HOST` that the server is told it is called by (:authority)")
	flags.DurationVar(&f.connectTimeout, "connect-timeout", 10*time.Second, "how long one attempt to connect may take")
	f.schemaFlags.register(flags)
	flags.BoolVar(&f.reflection, "reflection", false, "ask the server for what --proto and --descriptors lack")
}

// schemaTime bounds how long a command looks for the schema: a server of thousands
// of services takes a while to tell of all of them.
const schemaTime = 20 * time.Second

// schemaFlags say where the schema is.
type schemaFlags struct {
	protos      []string
	descriptors []string
	reflection  bool
}

func (f *schemaFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.protos, "proto", nil, "take the schema from the .proto files in `DIR` (an import root, as protoc's -I), or from one .proto file; repeatable")
	flags.StringArrayVar(&f.descriptors, "descriptors", nil, "take the schema from the descriptor set or buf image in `FILE`; repeatable")
}

// local reports whether the schema is in files only.
func (f *schemaFlags) local() bool {
	return len(f.protos)+len(f.descriptors) > 0 && !f.reflection
}

// sources are those that were asked for, and else the server's reflection.
func (f *schemaFlags) sources() []dynclient.Source {
	paths := slices.Concat(f.protos, f.descriptors)
	sources := make([]dynclient.Source, 0, len(paths)+1)
	for _, path := range paths {
		sources = append(sources, dynclient.Path(path))
	}
	if !f.local() {
		sources = append(sources, dynclient.Reflection())
	}
	return sources
}

// dial returns a client of a target.
func (f *connectFlags) dial(ctx context.Context, target string, opts ...grpc.DialOption) (*dynclient.Client, error) {
	options, err := f.options()
	if err != nil {
		return nil, usageError{err}
	}
	if target, err = normalTarget(target); err != nil {
		return nil, usageError{err}
	}
	client, err := dynclient.Dial(ctx, target, dynclient.WithSources(f.sources()...), dynclient.WithGRPC(append(options, opts...)...))
	if err != nil {
		return nil, usageError{err} // a target or a file that is not one
	}
	return client, nil
}

func (f *connectFlags) options() ([]grpc.DialOption, error) {
	opts := []grpc.DialOption{
		grpc.WithUserAgent("dyngate"),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: f.connectTimeout}),
	}
	if f.authority != "" {
		opts = append(opts, grpc.WithAuthority(f.authority))
	}
	if !f.tls && f.ca == "" && f.cert == "" && f.key == "" && f.serverName == "" && !f.skipVerify {
		return opts, nil
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
		InsecureSkipVerify: f.skipVerify, //nolint:gosec // as the user asked
	}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--ca: %s holds no PEM certificate", f.ca)
		}
	}
	if (f.cert == "") != (f.key == "") {
		return nil, errors.New("--cert and --key belong together")
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
