package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/internal/describe"
	"github.com/dyngate/dyngate/internal/safetext"
)

const describeHelp = `Describe prints a service, method, message, enum or any other declaration as
proto source, with its full name, package, file and comments. A method comes with
the messages and enums that its request and response use, and an example request;
--example prints only the example. Without a SYMBOL all services are printed.

The schema comes from the reflection of TARGET. With --proto or --descriptors it
comes from files, and TARGET is left out.

With -o json it prints one JSON object, {"symbols": [...]}. A symbol has "kind",
"name", "package", "file", "origin", "source" and, if other files declare the name
too, "alsoIn"; a service has "methods", a method "method" and "example", a message
"fields", an enum "values".

--descriptors-out writes the files that declare what was found, and their imports,
as a descriptor set, which --descriptors, dyngate serve, buf and protoc can read.
Without a SYMBOL it leaves out the server's own health, reflection and channelz.`

func newDescribe() *cobra.Command {
	f := new(describeFlags)
	cmd := &cobra.Command{
		Use:   "describe [TARGET] [SYMBOL]",
		Short: "Show proto source and example requests",
		Long:  describeHelp,
		Example: `  dyngate describe 127.0.0.1:50051 tutorial.Greeter
  dyngate describe --proto ./protos RouteGuide/ListFeature
  dyngate describe 50051 GetFeature --example | dyngate call 50051 GetFeature -d -
  dyngate describe 50051 --descriptors-out all.binpb > /dev/null`,
		Args:              args(cobra.MaximumNArgs(2)),
		ValidArgsFunction: names{services: true, methods: true, messages: true}.complete(&f.connectFlags, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			return untilSignal(cmd, func(ctx context.Context) error { return f.withSchema(ctx, args, f.run) })
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&f.example, "example", false, "print only an example, as JSON, of a method's request or of a message")
	addChoice(cmd, &f.output, "output", "o", "format of the output", "text", "json")
	cmd.Flags().StringVar(&f.descriptorsOut, "descriptors-out", "", "write what was found, with imports, to `FILE` as a descriptor set")
	f.register(cmd.Flags(), schemaTime)
	return cmd
}

type describeFlags struct {
	connectFlags
	example        bool
	output         string
	descriptorsOut string
}

func (f *describeFlags) run(ctx context.Context, schema *dynclient.Schema, names []string) error {
	symbols, failure := f.symbols(ctx, schema, names)
	if failure != nil && len(symbols) == 0 {
		return failure
	}
	d := description{ink: inkFor(os.Stdout), json: f.output == "json"}
	for _, sym := range symbols {
		if ctx.Err() != nil {
			failure = errors.Join(failure, context.Cause(ctx))
			break
		}
		failure = errors.Join(failure, f.describe(&d, sym))
	}
	if f.descriptorsOut != "" && len(symbols) > 0 {
		if len(names) == 0 && !f.local() {
			symbols = slices.DeleteFunc(symbols, describesServer)
		}
		failure = errors.Join(failure, writeDescriptors(f.descriptorsOut, symbols))
	}
	return errors.Join(failure, d.print(os.Stdout))
}

// symbols finds what to describe. There may be some with an error too.
func (f *describeFlags) symbols(ctx context.Context, schema *dynclient.Schema, names []string) ([]*dynclient.Symbol, error) {
	if len(names) == 1 {
		sym, err := schema.Match(ctx, names[0])
		if err != nil {
			return nil, err
		}
		return []*dynclient.Symbol{sym}, nil
	}
	if f.example {
		return nil, usageError{errors.New("--example needs a SYMBOL")}
	}
	services, err := schema.Services(ctx)
	if err != nil {
		return nil, err
	}
	return findAll(ctx, schema, services)
}

// mostTypes is how many types are described with a method.
const mostTypes = 100

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
		return d.onlyExample(md, sym.Types)
	}
	if err := d.add(sym); err != nil || !isMethod {
		return err
	}
	types := describe.Uses(method.Input(), method.Output())
	for _, t := range types[:min(mostTypes, len(types))] {
		if err := d.add(sym.Sibling(t)); err != nil {
			return err
		}
	}
	if len(types) > mostTypes {
		fmt.Fprintf(&d.text, "\n// ... and %d more messages and enums.\n", len(types)-mostTypes)
	}
	return d.example(method.Input(), sym.Types)
}

// description gathers what is printed.
type description struct {
	ink  ink
	json bool // or else text

	text    bytes.Buffer
	origin  string // of the last symbol
	symbols []jsonSymbol
	bare    bool // text is printed as it is, also with json
}

// add adds a declaration: its source below a heading.
func (d *description) add(sym *dynclient.Symbol) error {
	source, err := describe.Source(sym.Descriptor, sym.File())
	if err != nil {
		return err
	}
	if d.json {
		d.symbols = append(d.symbols, symbolJSON(sym, source))
		return nil
	}
	if d.text.Len() > 0 {
		d.text.WriteByte('\n')
	}
	for _, line := range d.heading(sym) {
		d.text.WriteString(d.ink.dim("// "+safetext.Clean(line)) + "\n")
	}
	d.text.WriteString("\n" + source)
	return nil
}

// heading says what a declaration is and where it is from, unless that is where
// the one before it is from.
func (d *description) heading(sym *dynclient.Symbol) []string {
	fd := sym.ParentFile()
	in := "no package"
	if fd.Package() != "" {
		in = "package " + string(fd.Package())
	}
	lines := []string{fmt.Sprintf("%s %s, %s, file %s", describe.Kind(sym.Descriptor), sym.FullName(), in, fd.Path())}
	if also := sym.AlsoIn(); len(also) > 0 {
		lines = append(lines, "also declared in "+shorten(also))
	}
	if d.origin != sym.Origin {
		d.origin = sym.Origin
		lines = append(lines, "from "+sym.Origin)
	}
	return lines
}

// example adds an example request of the method that was added before.
func (d *description) example(md protoreflect.MessageDescriptor, types dynclient.Types) error {
	example, err := describe.Example(md, types)
	if err != nil {
		return err
	}
	for i := range d.symbols {
		if d.symbols[i].Method != nil {
			d.symbols[i].Example = example
		}
	}
	d.text.WriteString("\n" + d.ink.dim("// An example request:") + "\n" + string(example) + "\n")
	return nil
}

// onlyExample makes an example all that is printed.
func (d *description) onlyExample(md protoreflect.MessageDescriptor, types dynclient.Types) error {
	example, err := describe.Example(md, types)
	d.bare = true
	d.text.Write(append(example, '\n'))
	return err
}

func (d *description) print(w io.Writer) error {
	if d.json && !d.bare {
		return writeJSON(w, jsonSymbols{append([]jsonSymbol{}, d.symbols...)})
	}
	_, err := io.Copy(w, &d.text)
	return err
}
