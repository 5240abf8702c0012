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
		slices.Sort(f.headers)
		f.headers = slices.Compact(f.headers) // cobra parses the flags twice to complete
		ctx, err := f.begin(ctx)
		if err != nil {
			return nil, directive
		}
		schema, _, done, err := f.open(args, 0)
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
	if n.services {
		for _, name := range services {
			all = append(all, string(name))
		}
	}
	if n.methods {
		services = slices.DeleteFunc(services, func(name protoreflect.FullName) bool { return !mayHave(string(name), prefix) })
		found, _ := schema.FindAll(ctx, services) // what there is must do
		for _, sym := range found {
			all = append(all, methodNames(sym, prefix != "")...)
		}
	}
	all = slices.DeleteFunc(all, func(name string) bool { return !strings.HasPrefix(name, prefix) || printable(name) != name })
	slices.Sort(all)
	return slices.Compact(all)
}

// mayHave reports whether a service may have a method that begins with prefix, so
// that a server of thousands need not be asked for all of them.
func mayHave(service, prefix string) bool {
	if name, _, ok := strings.Cut(prefix, "/"); ok {
		return service == name || strings.HasSuffix(service, "."+name)
	}
	return strings.HasPrefix(service, prefix) || !strings.Contains(prefix, ".")
}

// methodNames returns what the methods of a service may be called.
func methodNames(service *dynclient.Symbol, short bool) (all []string) {
	for _, m := range service.Methods() {
		all = append(all, m.Path())
		if short {
			all = append(all, string(service.Name())+"/"+string(m.Name()), string(m.Name()))
		}
	}
	return all
}
