package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/internal/describe"
)

const describeHelp = `Describe prints a service, method, message, enum or anything else that is
declared as proto source, comments included. With a method come its messages and
an example request, which --example prints alone. Without a SYMBOL all services
are printed.

The schema comes from the reflection of TARGET, or from --proto and
--descriptors: then there is no TARGET.`

func newDescribe() *cobra.Command {
	f := new(describeFlags)
	cmd := &cobra.Command{
		Use:   "describe [TARGET] [SYMBOL]",
		Short: "Show proto source and example requests",
		Long:  describeHelp,
		Example: `  dyngate describe 127.0.0.1:50051 tutorial.Greeter
  dyngate describe --proto ./protos SayHello
  dyngate describe 50051 SayHello --example | dyngate call 50051 SayHello -d -`,
		Args:              args(cobra.MaximumNArgs(2)),
		ValidArgsFunction: names{services: true, methods: true}.complete(&f.connectFlags, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			return untilSignal(cmd, func(ctx context.Context) error { return f.withSchema(ctx, args, f.run) })
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&f.example, "example", false, "print nothing but an example, as JSON, of a method's request or of a message")
	f.register(cmd.Flags(), schemaTime)
	return cmd
}

type describeFlags struct {
	connectFlags
	example bool
}

func (f *describeFlags) run(ctx context.Context, schema *dynclient.Schema, names []string) error {
	symbols, failure := f.symbols(ctx, schema, names)
	var d description
	for _, sym := range symbols {
		if ctx.Err() != nil {
			failure = errors.Join(failure, context.Cause(ctx))
			break
		}
		failure = errors.Join(failure, f.describe(&d, sym))
	}
	_, err := os.Stdout.Write(d.out.Bytes())
	return errors.Join(failure, err)
}

// symbols finds what is to be described. There may be some with an error too.
func (f *describeFlags) symbols(ctx context.Context, schema *dynclient.Schema, names []string) ([]*dynclient.Symbol, error) {
	if len(names) == 1 {
		sym, err := schema.Match(ctx, names[0])
		if err != nil {
			return nil, err
		}
		return []*dynclient.Symbol{sym}, nil
	}
	if f.example {
		return nil, usageError{errors.New("--example takes a SYMBOL")}
	}
	services, err := schema.Services(ctx)
	if err != nil {
		return nil, err
	}
	return findAll(ctx, schema, services)
}

func (f *describeFlags) describe(d *description, sym *dynclient.Symbol) error {
	method, isMethod := sym.Descriptor.(protoreflect.MethodDescriptor)
	if f.example {
		md, ok := sym.Descriptor.(protoreflect.MessageDescriptor)
		if isMethod {
			md, ok = method.Input(), true
		}
		if !ok {
			return usageError{fmt.Errorf("--example: %s is neither a method nor a message", sym.FullName())}
		}
		return d.example(md, sym.Types)
	}
	if err := d.source(sym); err != nil || !isMethod {
		return err
	}
	messages := []protoreflect.MessageDescriptor{method.Input()}
	if method.Output() != method.Input() {
		messages = append(messages, method.Output())
	}
	for _, md := range messages {
		if err := d.source(sym.Sibling(md)); err != nil {
			return err
		}
	}
	d.out.WriteString("\n// An example request:\n")
	return d.example(method.Input(), sym.Types)
}

// description is what is printed.
type description struct {
	out    bytes.Buffer
	origin string // of the last symbol
}

// source adds a symbol's source, and where that is from if that is not what the
// symbol before it is from.
func (d *description) source(sym *dynclient.Symbol) error {
	source, err := describe.Source(sym.Descriptor, sym.File())
	if err != nil {
		return err
	}
	if d.out.Len() > 0 {
		d.out.WriteByte('\n')
	}
	if d.origin != sym.Origin {
		d.origin = sym.Origin
		fmt.Fprintf(&d.out, "// from %s\n\n", printable(sym.Origin))
	}
	d.out.WriteString(source)
	return nil
}

func (d *description) example(md protoreflect.MessageDescriptor, types dynclient.Types) error {
	example, err := describe.Example(md, types)
	if err != nil {
		return err
	}
	d.out.Write(append(example, '\n'))
	return nil
}
