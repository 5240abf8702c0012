package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/pprof"

	"google.golang.org/grpc"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/bench/benchpb"
)

// serverFlags say what a server process serves, and how.
type serverFlags struct {
	kind    string
	profile string
	options optionFlags
}

func parseServer(args []string) (serverFlags, error) {
	var f serverFlags
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.StringVar(&f.kind, "kind", "struct", "generated, struct, alias, dynamic or raw")
	flags.StringVar(&f.profile, "profile", "", "write a CPU profile to `FILE`")
	f.options.register(flags)
	if err := flags.Parse(args); err != nil {
		return f, err
	}
	return f, nil
}

// serve is a server process. It writes its address to standard output, then its
// usage whenever a line comes on standard input, and ends with that.
func serve(ctx context.Context, args []string) error {
	f, err := parseServer(args)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	run, err := f.server(ctx)
	if err != nil {
		return err
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	stopProfile, err := startProfile(f.profile)
	if err != nil {
		return err
	}
	served, followed := make(chan error, 1), make(chan error, 1)
	go func() { served <- run(ctx, lis) }() // ends with ctx
	go func() {                             // ends with the parent
		followed <- follow(os.Stdin, os.Stdout, lis.Addr().String(), func(command) (any, error) { return ownUsage(), nil })
	}()
	select {
	case err := <-served:
		return err
	case err := <-followed:
		stop()
		return errors.Join(err, stopProfile(), <-served)
	}
}

func startProfile(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, pprof.StartCPUProfile(file)
}

// runner serves on a listener until the context ends.
type runner func(context.Context, net.Listener) error

func (f serverFlags) server(ctx context.Context) (runner, error) {
	opts := f.options.serverOptions()
	switch f.kind {
	case "generated":
		s := generatedServer(opts)
		return func(ctx context.Context, lis net.Listener) error {
			defer context.AfterFunc(ctx, s.Stop)()
			return s.Serve(lis)
		}, nil
	case "struct":
		return dyngateServer(ctx, structHandlers(), opts)
	case "alias":
		return dyngateServer(ctx, structHandlers(handlers.AliasInput()), opts)
	case "dynamic":
		return dyngateServer(ctx, dynamicHandlers(), opts)
	case "raw":
		return dyngateServer(ctx, rawHandlers(), opts)
	}
	return nil, fmt.Errorf("no such kind: %q", f.kind)
}

func dyngateServer(ctx context.Context, reg *handlers.Registry, opts []grpc.ServerOption) (runner, error) {
	srv, err := dynserver.New(ctx, dynserver.Config{
		Sources:  []dynserver.Source{dynserver.FS("benchpb", benchpb.FS)},
		Handlers: reg,
		GRPC:     dynserver.GRPCOptions{ServerOptions: opts},
		Log:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, lis net.Listener) error { return srv.Serve(ctx, dynserver.GRPC(lis)) }, nil
}
