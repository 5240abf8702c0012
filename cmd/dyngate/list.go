package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/internal/nearest"
	"github.com/dyngate/dyngate/internal/safetext"
)

const listHelp = `List prints the full names of all services, of those in a package, or the methods
of one service, one on each line.

The schema comes from the reflection of TARGET. With --proto or --descriptors it
comes from files, and TARGET is left out.

With -o json it prints one JSON object, {"services": [...]}. A service has "name"
and "package" and, with -l or for a single service, "file", "origin" and
"methods". A method has "name", "path", "request", "response", "clientStreaming"
and "serverStreaming".`

func newList() *cobra.Command {
	f := new(listFlags)
	cmd := &cobra.Command{
		Use:   "list [TARGET] [SERVICE|PACKAGE]",
		Short: "List services and methods",
		Long:  listHelp,
		Example: `  dyngate list 127.0.0.1:50051
  dyngate list 127.0.0.1:50051 tutorial.Greeter
  dyngate list --proto ./protos -l tutorial`,
		Args:              args(cobra.MaximumNArgs(2)),
		ValidArgsFunction: names{services: true}.complete(&f.connectFlags, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			return untilSignal(cmd, func(ctx context.Context) error { return f.withSchema(ctx, args, f.run) })
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVarP(&f.long, "long", "l", false, "print all methods, with their request and response types")
	addChoice(cmd, &f.output, "output", "o", "format of the output", "text", "json")
	f.register(cmd.Flags(), schemaTime)
	return cmd
}

type listFlags struct {
	connectFlags
	long   bool
	output string
}

// listing is what is listed: the names of services, or services with their
// methods.
type listing struct {
	names    []protoreflect.FullName
	services []*dynclient.Symbol
}

func (f *listFlags) run(ctx context.Context, schema *dynclient.Schema, names []string) error {
	found, failure := f.find(ctx, schema, names)
	if failure != nil && len(found.names)+len(found.services) == 0 {
		return failure
	}
	out := bufio.NewWriter(os.Stdout)
	if f.output == "json" {
		failure = errors.Join(failure, writeJSON(out, found.json()))
	} else {
		f.print(out, inkFor(os.Stdout), found)
	}
	return errors.Join(failure, out.Flush())
}

// find finds what to list. There may be something to list with an error too.
func (f *listFlags) find(ctx context.Context, schema *dynclient.Schema, names []string) (found listing, err error) {
	var services []protoreflect.FullName
	if len(names) == 1 {
		service, err := schema.MatchService(ctx, names[0])
		if err == nil {
			return listing{services: []*dynclient.Symbol{service}}, nil
		}
		if services, err = f.inPackage(ctx, schema, names[0], err); err != nil {
			return listing{}, err
		}
	} else if services, err = schema.Services(ctx); err != nil {
		return listing{}, err
	}
	if !f.long {
		return listing{names: services}, brokenFiles(ctx, schema)
	}
	found.services, err = findAll(ctx, schema, services)
	return found, err
}

// inPackage returns the services in a package and in the packages below it, if the
// failure is that no service has the name.
func (f *listFlags) inPackage(ctx context.Context, schema *dynclient.Schema, name string, failure error) ([]protoreflect.FullName, error) {
	var lookup *dynclient.LookupError
	if !errors.As(failure, &lookup) || lookup.Ambiguous {
		return nil, failure
	}
	services, err := schema.Services(ctx)
	if err != nil {
		return nil, failure
	}
	within := slices.DeleteFunc(slices.Clone(services), func(service protoreflect.FullName) bool {
		return !strings.HasPrefix(string(service), name+".")
	})
	if len(within) > 0 {
		return within, nil
	}
	return nil, unknownPart(lookup, services)
}

// unknownPart extends the error for an unknown service to packages, which can be
// listed too.
func unknownPart(unknown *dynclient.LookupError, services []protoreflect.FullName) error {
	e := *unknown
	e.Kind = "service or package"
	known := make(map[string]bool)
	for _, service := range services {
		for pkg := service.Parent(); pkg != "" && !known[string(pkg)]; pkg = pkg.Parent() {
			known[string(pkg)] = true
		}
	}
	near := nearest.Names(e.Name, slices.Sorted(maps.Keys(known)), 3)
	switch {
	case len(near) == 0:
	case e.Similar():
		e.Candidates = slices.Concat(e.Candidates, near)
	default:
		e.Candidates, e.More = near, 0
	}
	return &e
}

func (f *listFlags) print(out io.Writer, ink ink, found listing) {
	for _, name := range found.names {
		fmt.Fprintln(out, ink.bold(safetext.Clean(string(name))))
	}
	for _, service := range found.services {
		for _, m := range service.Methods() {
			line := m.Path()
			if f.long {
				line = signature(m)
			}
			path, rest, _ := strings.Cut(line, "/")
			fmt.Fprintln(out, ink.bold(path)+"/"+rest)
		}
	}
}

// brokenFiles returns the errors of the services whose files have errors.
func brokenFiles(ctx context.Context, schema *dynclient.Schema) (err error) {
	for _, b := range schema.Broken(ctx) {
		err = errors.Join(err, b)
	}
	return err
}

// findAll finds services. The error says which ones are missing, and why.
func findAll(ctx context.Context, schema *dynclient.Schema, names []protoreflect.FullName) (found []*dynclient.Symbol, err error) {
	defer func() { err = errors.Join(err, brokenFiles(ctx, schema)) }()
	symbols, err := schema.FindAll(ctx, names)
	var lost []string
	for _, name := range names {
		if sym := symbols[name]; sym != nil {
			found = append(found, sym)
		} else {
			lost = append(lost, string(name))
		}
	}
	switch {
	case len(lost) == 0:
		return found, nil
	case err == nil:
		return found, fmt.Errorf("listed, but not declared: %s", shorten(lost))
	}
	return found, fmt.Errorf("not all services can be shown (%s): %w", shorten(lost), err)
}

// signature returns a method in one line, as in a .proto file.
func signature(m *dynclient.Method) string {
	in, out := string(m.Input().FullName()), string(m.Output().FullName())
	if m.IsStreamingClient() {
		in = "stream " + in
	}
	if m.IsStreamingServer() {
		out = "stream " + out
	}
	return fmt.Sprintf("%s(%s) returns (%s)", m.Path(), in, out)
}

// withSchema opens the schema and calls run, bound by --deadline, with the
// arguments after the target: one at most.
func (f *connectFlags) withSchema(ctx context.Context, args []string, run func(context.Context, *dynclient.Schema, []string) error) error {
	ctx, err := f.begin(ctx)
	if err != nil {
		return err
	}
	schema, names, done, err := f.open(args, 1)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := f.within(ctx)
	defer cancel()
	return endWith(ctx, func() error { return run(ctx, schema, names) })
}

// open opens the schema: of the server that the first argument names, or of
// files. It returns the other arguments, at most as many as most.
func (f *connectFlags) open(args []string, most int) (*dynclient.Schema, []string, func(), error) {
	if f.local() {
		if i := slices.IndexFunc(args, looksLikeTarget); i >= 0 {
			return nil, nil, nil, usageError{fmt.Errorf("with --proto or --descriptors no TARGET is used: leave out %q, or add --reflection to ask the server too", args[i])}
		}
		if len(args) > most {
			return nil, nil, nil, usageError{fmt.Errorf("with --proto or --descriptors no TARGET is used, so %q is one argument too many", args[most])}
		}
		return dynclient.NewSchema(f.sources()...), args, func() {}, nil
	}
	if len(args) == 0 {
		return nil, nil, nil, usageError{errors.New("a TARGET is missing, or --proto, or --descriptors")}
	}
	client, done, err := f.dial(args[0], nil)
	if err != nil {
		return nil, nil, nil, err
	}
	return client.Schema(), args[1:], done, nil
}
