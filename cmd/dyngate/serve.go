package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/examples"
	"github.com/dyngate/dyngate/internal/logattr"
	"github.com/dyngate/dyngate/protos"
)

const serveHelp = `Serve parses .proto files and serves their services over gRPC, with reflection
and health, and over HTTP: as JSON, Connect and gRPC-Web. It follows the files while it runs: services of new files are served
at once, a file that is broken keeps its last good version, and calls in progress
are not affected.

Each PATH is a folder of .proto files (an import root, like protoc's -I), a single
.proto file, or a file that holds a descriptor set (.binpb, .pb, .desc, .json,
.txtpb, also with .gz). If two files have the same import path, the first wins.
Without a PATH dyngate serves its example services, with their handlers.

SIGHUP reloads. SIGINT and SIGTERM drain (see --drain); a second signal stops the
server at once.`

func newServe() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve [PATH...]",
		Short: "Serve the services of .proto files",
		Long:  serveHelp,
		Example: `  dyngate serve
  dyngate serve ./protos
  dyngate serve --examples --grpc 127.0.0.1:50051 --grpc unix:/tmp/dyngate.sock ./protos`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			f.httpGiven = cmd.Flags().Changed("http")
			return f.run(cmd.Context(), paths)
		},
	}
	f.register(cmd)
	return cmd
}

func (f *serveFlags) run(ctx context.Context, paths []string) error {
	if err := f.validate(len(paths) == 0); err != nil {
		return usageError{err}
	}
	stderr := f.logQueue(os.Stderr)
	defer stderr.close()
	f.redirectLogs(stderr)
	return f.serve(ctx, paths, stderr)
}

// serve serves until a signal stops it. It writes its log to stderr.
func (f *serveFlags) serve(ctx context.Context, paths []string, stderr io.Writer) error {
	log := f.logger(stderr)
	config, err := f.config(log, stderr, paths)
	if err != nil {
		return err
	}
	certificates, err := f.secure(&config, log)
	if err != nil {
		return err
	}
	signals := newSignals()
	defer signals.close()
	ctx, second := signals.untilStop(ctx, log)
	tending, stopTending := context.WithCancel(ctx)
	defer stopTending()
	go tendMemory(tending) // ends with the server
	stopProgress := f.showProgress(&config)
	srv, err := dynserver.New(ctx, config)
	stopProgress()
	if err != nil {
		return fmt.Errorf("cannot start: %w", err)
	}
	listeners, err := f.listen(ctx, log)
	if err != nil {
		_ = srv.Shutdown(ctx) // nothing has called it
		return err
	}
	if len(srv.Services()) == 0 {
		log.Warn("no .proto file declares a service that can be served", "paths", paths)
	}
	defer keepHeadroom()()
	signals.follow(ctx, second, srv, certificates, log)
	following := f.follow(ctx, certificates)
	defer following()
	f.welcome(log, srv.Services(), listeners)
	if err := srv.Serve(ctx, listeners.all()...); !errors.Is(err, dynserver.ErrCut) {
		return err
	}
	log.Warn("stopped before all calls had ended", logattr.Milliseconds("drain", f.drain))
	return nil
}

// showProgress shows the progress of the first load on a terminal, until the load is
// reported or the result is called. A log in JSON stays alone.
func (f *serveFlags) showProgress(config *dynserver.Config) (stop func()) {
	if f.logFormat != "text" {
		return func() {}
	}
	p, report := newProgress(os.Stderr), config.OnReload
	config.OnProgress = p.loading
	config.OnReload = func(r dynserver.Report) {
		p.stop()
		report(r)
	}
	return p.stop
}

// config returns the configuration of the server. Its sources are the paths, or
// the embedded examples.
func (f *serveFlags) config(log *slog.Logger, stderr io.Writer, paths []string) (dynserver.Config, error) {
	config := f.base(log)
	for _, path := range paths {
		config.Sources = append(config.Sources, dynserver.Path(path))
	}
	if len(paths) == 0 {
		config.Sources = []dynserver.Source{dynserver.FS("embedded protos", protos.FS)}
	}
	if f.logFormat == "text" {
		ink := inkFor(os.Stderr)
		config.OnReload = func(r dynserver.Report) { printReport(stderr, ink, r) }
	}
	config.Handlers = handlers.NewRegistry()
	if len(paths) == 0 || f.examples {
		opts := examples.Options{Features: f.features, TaskInterval: f.taskInterval}
		if err := registerExamples(config.Handlers, opts); err != nil {
			return config, err
		}
	}
	return config, nil
}

// registerExamples registers the example handlers in an empty registry. A PATH need
// not declare the services of all of them.
func registerExamples(reg *handlers.Registry, opts examples.Options) error {
	if err := examples.Register(reg, opts); err != nil {
		return err
	}
	for _, registration := range reg.All() {
		registration.Matching = handlers.MatchOptional
	}
	return nil
}
