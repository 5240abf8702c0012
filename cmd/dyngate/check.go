package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/handlers/examples"
)

const checkHelp = `Check compiles .proto files and binds their handlers as serve does, and reports
all errors and warnings. With --against it also reports the changes that break
callers built against an older version: on the wire, in JSON, or because a method
was removed. The rules are those of buf's category WIRE_JSON.

Each PATH, and each OLD, is a folder of .proto files, a single .proto file, or a
file that holds a descriptor set, as for serve.

The report goes to standard output. The exit status is 0 if the check succeeds,
1 if there are errors or breaking changes (with --strict also warnings), and 2 if
the command line is wrong.`

// checkFlags are the settings of `dyngate check`.
type checkFlags struct {
	examples bool
	require  bool
	rules    []string
	against  []string
	format   string
	strict   bool
	schemas  dynserver.SchemaLimits
}

func newCheck() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check PATH...",
		Short: "Check .proto files, their handlers, and what changed in them",
		Long:  checkHelp,
		Example: `  dyngate check ./protos
  dyngate check --examples --require-handlers ./protos
  dyngate check --format github ./protos
  git worktree add --detach /tmp/main main && dyngate check --against /tmp/main/protos ./protos`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			return f.run(cmd.Context(), paths)
		},
	}
	f.register(cmd)
	return cmd
}

func (f *checkFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.examples, "examples", false, "also check the example handlers of services that a PATH declares")
	registerRequireHandlers(flags, &f.require)
	flags.StringArrayVar(&f.rules, "http-rules", nil,
		"also check the google.api.http rules in `FILE` (YAML), besides the *.http.yaml files in each PATH; repeatable")
	flags.StringArrayVar(&f.against, "against", nil, "report changes that break callers built against the schemas in `OLD`; repeatable")
	addChoice(cmd, &f.format, "format", "", "format of the report; json is an object on each line, github annotates files in a workflow", "text", "json", "github")
	flags.BoolVar(&f.strict, "strict", false, "fail on warnings too")
	registerSchemaLimits(flags, &f.schemas)
}

func (f *checkFlags) run(ctx context.Context, paths []string) error {
	if len(paths) == 0 {
		return usageError{errors.New("check needs a PATH")}
	}
	if err := checkSchemaLimits(f.schemas); err != nil {
		return usageError{err}
	}
	config := dynserver.Config{
		Sources:         sourcesOf(paths),
		SchemaLimits:    f.schemas,
		HTTPRules:       f.rules,
		RequireHandlers: f.require,
		Handlers:        handlers.NewRegistry(),
		Log:             slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	if f.examples {
		if err := registerExamples(config.Handlers, examples.Options{}); err != nil {
			return err
		}
	}
	progress := newProgress(os.Stderr)
	config.OnProgress = progress.loading
	result, err := dynserver.Check(ctx, config, sourcesOf(f.against)...)
	progress.stop()
	if err != nil {
		return fmt.Errorf("cannot check: %w", err)
	}
	failure := f.judge(result)
	out := bufio.NewWriter(os.Stdout)
	reportFormats[f.format](out, result, failure == nil)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return failure
}

// judge returns why the check fails; nil if it succeeds.
func (f *checkFlags) judge(r *dynserver.CheckResult) error {
	count := make(map[diag.Severity]int)
	for _, d := range r.Diagnostics {
		count[d.Severity]++
	}
	var found []string
	add := func(n int, noun string) {
		if n > 0 {
			found = append(found, plural(n, noun))
		}
	}
	add(count[diag.Error], "error")
	add(len(r.Changes), "breaking change")
	if f.strict {
		add(count[diag.Warning], "warning")
	}
	if len(found) > 0 {
		return fmt.Errorf("the check found %s", strings.Join(found, ", "))
	}
	if r.Files == 0 {
		return errors.New("found no .proto file to check")
	}
	return nil
}

func sourcesOf(paths []string) []dynserver.Source {
	sources := make([]dynserver.Source, len(paths))
	for i, path := range paths {
		sources[i] = dynserver.Path(path)
	}
	return sources
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
