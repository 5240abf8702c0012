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
	"github.com/spf13/pflag"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/handlers/diag"
	"github.com/dyngate/dyngate/handlers/examples"
)

const checkHelp = `Check compiles .proto files and binds their handlers as serve does, and reports
everything that is wrong, without serving. With --against it also reports what
breaks those who know an older version of the schemas: on the wire, in JSON, or
because what they call is gone. The rules are those of buf's category WIRE_JSON.

Each PATH, and each OLD, is a folder of .proto files, a single .proto file, or a
file that holds a descriptor set, as for serve.

The report goes to standard output. The exit status is 0 when nothing is wrong,
1 when there are errors or breaking changes (with --strict also warnings), and 2
when the command line is wrong.`

// checkFlags are the settings of `dyngate check`.
type checkFlags struct {
	examples bool
	require  bool
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
		Example: `  dyngate check ./protos ./third_party
  dyngate check --against /tmp/main/protos ./protos
  dyngate check --format github --strict ./protos`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			return f.run(cmd.Context(), paths)
		},
	}
	f.register(cmd.Flags())
	return cmd
}

func (f *checkFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.examples, "examples", false, "check the example handlers too, where a PATH declares their services")
	registerRequireHandlers(flags, &f.require)
	flags.StringArrayVar(&f.against, "against", nil, "report what breaks those who know the schemas in `OLD`; repeatable, as PATH is")
	flags.StringVar(&f.format, "format", "text", "text, json (an object on each line) or github (annotations of a workflow)")
	flags.BoolVar(&f.strict, "strict", false, "fail on warnings, too")
	registerSchemaLimits(flags, &f.schemas)
}

func (f *checkFlags) run(ctx context.Context, paths []string) error {
	write := reportFormats[f.format]
	switch {
	case len(paths) == 0:
		return usageError{errors.New("check needs a PATH; what ships with dyngate is tested already")}
	case write == nil:
		return usageError{fmt.Errorf("--format: %q is none of text, json and github", f.format)}
	}
	if err := checkSchemaLimits(f.schemas); err != nil {
		return usageError{err}
	}
	config := dynserver.Config{
		Sources:         sourcesOf(paths),
		SchemaLimits:    f.schemas,
		RequireHandlers: f.require,
		Handlers:        handlers.NewRegistry(),
		Log:             slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	if f.examples {
		if err := examples.Register(config.Handlers, examples.Options{}); err != nil {
			return err
		}
	}
	result, err := dynserver.Check(ctx, config, sourcesOf(f.against)...)
	if err != nil {
		return fmt.Errorf("cannot check: %w", err)
	}
	failure := f.judge(result)
	out := bufio.NewWriter(os.Stdout)
	write(out, result, failure == nil)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return failure
}

// judge returns why the check has failed; nil if it has not.
func (f *checkFlags) judge(r *dynserver.CheckResult) error {
	var count [diag.Hint + 1]int
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
		return errors.New("there is no .proto file to check")
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
