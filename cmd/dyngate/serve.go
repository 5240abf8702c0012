package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/grpclog"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/examples"
	"github.com/dyngate/dyngate/protos"
)

const serveHelp = `Serve parses .proto files and serves their services over gRPC, with reflection
and health, and follows the files while it runs: a new file's services are live
at once, a broken edit leaves what was good alone, calls in progress never
notice.

Each PATH is a folder of .proto files (an import root, as protoc's -I), a single
.proto file, or a file that holds a descriptor set (.binpb, .pb, .desc, .json,
.txtpb, also with .gz); where two have the same import path the first wins. Without a PATH the services that
ship with dyngate are served, answered by their example handlers.

SIGHUP reloads. SIGINT and SIGTERM drain (see --drain); a second one stops at
once.`

func newServe() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve [PATH...]",
		Short: "Serve the services of .proto files",
		Long:  serveHelp,
		Example: `  dyngate serve
  dyngate serve ./protos ./third_party
  dyngate serve --examples --grpc 127.0.0.1:50051 --grpc unix:/run/dyngate.sock ./protos`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			return f.run(cmd.Context(), paths)
		},
	}
	f.register(cmd.Flags())
	return cmd
}

func (f *serveFlags) run(ctx context.Context, paths []string) error {
	if err := f.validate(len(paths) == 0); err != nil {
		return usageError{err}
	}
	stderr := f.logQueue(os.Stderr)
	defer stderr.close()
	if os.Getenv("GRPC_GO_LOG_SEVERITY_LEVEL") == "" { // as by default, but without waiting
		grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, stderr))
	}
	return f.serve(ctx, paths, stderr)
}

// serve serves until a signal stops it. It writes to stderr what is not an error.
func (f *serveFlags) serve(ctx context.Context, paths []string, stderr io.Writer) error {
	log := f.logger(stderr)
	config, err := f.config(log, stderr, paths)
	if err != nil {
		return err
	}
	signals := newSignals()
	defer signals.close()
	ctx, second := signals.untilStop(ctx, log)
	tending, stopTending := context.WithCancel(ctx)
	defer stopTending()
	go tendMemory(tending) // ends with the server
	srv, err := dynserver.New(ctx, config)
	if err != nil {
		return fmt.Errorf("cannot start:\n\n%w", err)
	}
	listeners, err := listenAll(ctx, f.grpc)
	if err != nil {
		_ = srv.Shutdown(ctx) // nothing has called it
		return err
	}
	if len(srv.Services()) == 0 {
		log.Warn("no .proto file declares a service that can be served", "paths", paths)
	}
	defer keepHeadroom()()
	signals.follow(ctx, second, srv, log)
	printWelcome(os.Stdout, srv.Services(), listeners)
	if err := srv.Serve(ctx, listeners...); !errors.Is(err, dynserver.ErrCut) {
		return err
	}
	log.Warn("stopped before all calls had ended", "drain", f.drain)
	return nil
}

// sources are the paths, or what ships with dyngate. The latter is embedded, so
// there is nothing to watch.
func (f *serveFlags) config(log *slog.Logger, stderr io.Writer, paths []string) (dynserver.Config, error) {
	config := f.base(log)
	for _, path := range paths {
		config.Sources = append(config.Sources, dynserver.Path(path))
	}
	if len(paths) == 0 {
		config.Sources = []dynserver.Source{dynserver.FS("embedded protos", protos.FS)}
	}
	if f.logFormat == "text" {
		config.OnReload = func(r dynserver.Report) { printReport(stderr, r) }
	}
	config.Handlers = handlers.NewRegistry()
	if len(paths) == 0 || f.examples {
		opts := examples.Options{Features: f.features, TaskInterval: f.taskInterval}
		if err := examples.Register(config.Handlers, opts); err != nil {
			return config, err
		}
	}
	return config, nil
}
