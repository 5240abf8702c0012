package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynclient"
)

// completionTime is how long the shell waits for a server at most.
const completionTime = 2 * time.Second

// names says which names are completed.
type names struct{ services, methods bool }

// complete completes the name that comes after the TARGET or, with the schema in
// files and unless a target is needed all the same, in its place.
func (n names) complete(f *connectFlags, needsTarget bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		const directive = cobra.ShellCompDirectiveNoFileComp
		before := 1
		if f.local() && !needsTarget {
			before = 0
		}
		if len(args) != before {
			return nil, directive
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
		defer cancel()
		if f.local() {
			args = nil // whatever the target is, it is not asked
		}
		schema, _, done, err := f.open(ctx, args, 0)
		if err != nil {
			return nil, directive
		}
		defer done()
		return n.beginning(ctx, schema, prefix), directive
	}
}

// beginning returns the names that begin with prefix. Methods have full names
// when there is no prefix, and then may be shortened as well.
func (n names) beginning(ctx context.Context, schema *dynclient.Schema, prefix string) []string {
	services, err := schema.Services(ctx)
	if err != nil {
		return nil
	}
	var all []string
	for _, name := range services {
		if n.services {
			all = append(all, string(name))
		}
		if n.methods {
			all = append(all, methodNames(ctx, schema, name, prefix != "")...)
		}
	}
	all = slices.DeleteFunc(all, func(name string) bool { return !strings.HasPrefix(name, prefix) })
	slices.Sort(all)
	return slices.Compact(all)
}

// methodNames returns what the methods of a service may be called.
func methodNames(ctx context.Context, schema *dynclient.Schema, service protoreflect.FullName, short bool) (all []string) {
	sym, err := schema.Find(ctx, service)
	if err != nil {
		return nil // the others can be completed all the same
	}
	sd, ok := sym.Descriptor.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil
	}
	for i := range sd.Methods().Len() {
		m := &dynclient.Method{MethodDescriptor: sd.Methods().Get(i)}
		all = append(all, m.Path())
		if short {
			all = append(all, string(sd.Name())+"/"+string(m.Name()), string(m.Name()))
		}
	}
	return all
}
