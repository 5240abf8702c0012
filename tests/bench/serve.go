package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"

	"google.golang.org/grpc"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/bench/benchpb"
	"github.com/dyngate/dyngate/tests/bench/child"
	"github.com/dyngate/dyngate/tests/bench/webpb"
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
	flags.StringVar(&f.kind, "kind", "struct", "generated, struct, alias, dynamic, raw or http")
	flags.StringVar(&f.profile, "profile", "", "write a CPU profile to `FILE`")
	f.options.register(flags)
	if err := flags.Parse(args); err != nil {
		return f, err
	}
	return f, nil
}

// serve is a server process.
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
	return child.Serve(ctx, f.profile, run)
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
	if f.kind == dyngateWeb {
		return dyngateWebServer(ctx)
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

// dyngateWebServer serves over HTTP, with dyngate's own options.
func dyngateWebServer(ctx context.Context) (runner, error) {
	reg, err := webHandlers()
	if err != nil {
		return nil, err
	}
	srv, err := dynserver.New(ctx, dynserver.Config{
		Sources:  []dynserver.Source{dynserver.FS("benchpb", benchpb.FS), dynserver.FS("webpb", webpb.FS)},
		Handlers: reg,
		Log:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, lis net.Listener) error { return srv.Serve(ctx, dynserver.HTTP(lis)) }, nil
}
