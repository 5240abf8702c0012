package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynclient"
)

const listHelp = `List prints the full names of the services, or the methods of one, one a line.

The schema comes from the reflection of TARGET, or from --proto and
--descriptors: then there is no TARGET.`

func newList() *cobra.Command {
	f := new(listFlags)
	cmd := &cobra.Command{
		Use:   "list [TARGET] [SERVICE]",
		Short: "List services and methods",
		Long:  listHelp,
		Example: `  dyngate list 127.0.0.1:50051
  dyngate list 127.0.0.1:50051 tutorial.Greeter
  dyngate list --proto ./protos -l`,
		Args:              args(cobra.MaximumNArgs(2)),
		ValidArgsFunction: names{services: true}.complete(&f.connectFlags, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			return untilSignal(cmd, func(ctx context.Context) error { return f.withSchema(ctx, args, f.run) })
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVarP(&f.long, "long", "l", false, "print all methods, with their request and response types")
	f.register(cmd.Flags(), schemaTime)
	return cmd
}

type listFlags struct {
	connectFlags
	long bool
}

func (f *listFlags) run(ctx context.Context, schema *dynclient.Schema, names []string) error {
	out := bufio.NewWriter(os.Stdout)
	err := f.list(ctx, out, schema, names)
	return errors.Join(err, out.Flush())
}

func (f *listFlags) list(ctx context.Context, out *bufio.Writer, schema *dynclient.Schema, names []string) error {
	if len(names) == 1 {
		service, err := schema.MatchService(ctx, names[0])
		if err != nil {
			return err
		}
		f.methods(out, service)
		return nil
	}
	services, err := schema.Services(ctx)
	if err != nil {
		return err
	}
	if !f.long {
		for _, name := range services {
			fmt.Fprintln(out, printable(string(name)))
		}
		return brokenFiles(ctx, schema)
	}
	found, err := findAll(ctx, schema, services)
	for _, service := range found {
		f.methods(out, service)
	}
	return err
}

// brokenFiles tells of the services that there are not for the errors in their
// files.
func brokenFiles(ctx context.Context, schema *dynclient.Schema) (err error) {
	for _, b := range schema.Broken(ctx) {
		err = errors.Join(err, b)
	}
	return err
}

// findAll finds the services that can be had; the error tells of the others.
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

// methods prints the methods of a service.
func (f *listFlags) methods(out *bufio.Writer, service *dynclient.Symbol) {
	for _, m := range service.Methods() {
		if f.long {
			fmt.Fprintln(out, signature(m))
		} else {
			fmt.Fprintln(out, m.Path())
		}
	}
}

// signature is a method in one line, as a .proto file has it.
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
// arguments that are no target, of which there is one at most.
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

// open opens the schema: of the first argument's server, or of files. It returns
// the other arguments, of which there may be most.
func (f *connectFlags) open(args []string, most int) (*dynclient.Schema, []string, func(), error) {
	if f.local() {
		if len(args) > most {
			return nil, nil, nil, usageError{fmt.Errorf("the schema is in files: there is no TARGET, so %q is too much", args[most])}
		}
		return dynclient.NewSchema(f.sources()...), args, func() {}, nil
	}
	if len(args) == 0 {
		return nil, nil, nil, usageError{errors.New("it takes a TARGET, or --proto, or --descriptors")}
	}
	client, done, err := f.dial(args[0])
	if err != nil {
		return nil, nil, nil, err
	}
	return client.Schema(), args[1:], done, nil
}
