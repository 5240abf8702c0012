package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers/diag"
)

const openapiHelp = `Openapi compiles .proto files and writes an OpenAPI 3.1 document of their services
to standard output: the one that serve has at /openapi.json and /openapi.yaml.
It describes the google.api.http rules of methods, and POST /package.Service/Method
for methods without one.

Each PATH is a folder of .proto files, a single .proto file, or a file that holds a
descriptor set, as for serve.

The exit status is 0 if the document is written, 1 if there are errors, which go
to standard error, and 2 if the command line is wrong.`

// openapiFlags are the settings of `dyngate openapi`.
type openapiFlags struct {
	format  string
	doc     dynserver.OpenAPIOptions
	rules   []string
	lenient bool
	schemas dynserver.SchemaLimits
}

func newOpenAPI() *cobra.Command {
	var f openapiFlags
	cmd := &cobra.Command{
		Use:   "openapi PATH...",
		Short: "Write an OpenAPI 3.1 document of the services in .proto files",
		Long:  openapiHelp,
		Example: `  dyngate openapi ./protos > openapi.json
  dyngate openapi --format yaml --title Shop --server https://api.example.com ./protos`,
		RunE: func(cmd *cobra.Command, paths []string) error {
			return f.run(cmd.Context(), paths)
		},
	}
	flags := cmd.Flags()
	addChoice(cmd, &f.format, "format", "", "format of the document", "json", "yaml")
	flags.StringVar(&f.doc.Title, "title", "dyngate", "title of the API")
	flags.StringVar(&f.doc.Version, "api-version", "0.0.0", "version of the API")
	flags.StringVar(&f.doc.Description, "description", "", "description of the API, in Markdown")
	flags.StringArrayVar(&f.doc.Servers, "server", nil, "`URL` of a server; repeatable")
	flags.StringArrayVar(&f.rules, "http-rules", nil, "`FILE` with HTTP rules, the YAML form of google.api.Service; repeatable")
	flags.BoolVar(&f.lenient, "lenient", false, "write a document of the services that are good instead of failing on any error")
	registerSchemaLimits(flags, &f.schemas)
	return cmd
}

func (f *openapiFlags) run(ctx context.Context, paths []string) error {
	if len(paths) == 0 {
		return usageError{errors.New("openapi needs a PATH")}
	}
	if err := checkSchemaLimits(f.schemas); err != nil {
		return usageError{err}
	}
	config := dynserver.Config{
		Sources:      sourcesOf(paths),
		SchemaLimits: f.schemas,
		HTTPRules:    f.rules,
		Lenient:      f.lenient,
		HTTP:         dynserver.HTTPOptions{OpenAPI: f.doc},
		Log:          slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	progress := newProgress(os.Stderr)
	config.OnProgress = progress.loading
	format := dynserver.OpenAPIJSON
	if f.format == "yaml" {
		format = dynserver.OpenAPIYAML
	}
	diags, err := dynserver.OpenAPI(ctx, os.Stdout, format, config)
	progress.stop()
	if text := diag.Render(diags); text != "" {
		fmt.Fprintln(os.Stderr, inkFor(os.Stderr).diagnostics(text))
	}
	var load *dynserver.LoadError
	switch {
	case errors.As(err, &load):
		return errors.New("no document was written, because there are errors; --lenient writes one of the good services")
	case err != nil:
		return fmt.Errorf("cannot write the document: %w", err)
	}
	return nil
}
