package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dyngate/dyngate/dynclient"
	"github.com/dyngate/dyngate/internal/safetext"
)

// completionTime is how long the shell waits for a server, at most.
const completionTime = 2 * time.Second

// names says which names are completed.
type names struct{ services, methods, messages bool }

// complete completes the name that comes after the TARGET. If the schema is in
// files and the command needs no target, the name comes in its place.
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
			args = nil // the target is not asked
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

// beginning returns the names that begin with prefix. With a prefix, methods and
// messages have short names too.
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
		found, _ := schema.FindAll(ctx, services) // what was found in time must do
		for _, sym := range found {
			all = append(all, methodNames(sym, prefix != "")...)
		}
	}
	if n.messages && !strings.Contains(prefix, "/") {
		all = append(all, messageNames(ctx, schema, prefix != "")...)
	}
	all = slices.DeleteFunc(all, func(name string) bool { return !strings.HasPrefix(name, prefix) || !safetext.IsClean(name) })
	slices.Sort(all)
	return slices.Compact(all)
}

// mayHave reports whether a service may have a method that begins with prefix. It
// keeps the client from asking a server about all of thousands of services.
func mayHave(service, prefix string) bool {
	if name, _, ok := strings.Cut(prefix, "/"); ok {
		return service == name || strings.HasSuffix(service, "."+name)
	}
	return strings.HasPrefix(service, prefix) || !strings.Contains(prefix, ".")
}

// messageNames returns the full names of the messages in the files of the services
// and in what these import, and the short names if they are wanted.
func messageNames(ctx context.Context, schema *dynclient.Schema, short bool) (all []string) {
	services, err := schema.Services(ctx)
	if err != nil {
		return nil
	}
	found, _ := schema.FindAll(ctx, services) // what was found in time must do
	seen := make(map[string]bool)
	var visit func(protoreflect.FileDescriptor)
	visit = func(fd protoreflect.FileDescriptor) {
		if seen[fd.Path()] {
			return
		}
		seen[fd.Path()] = true
		for i := range fd.Messages().Len() {
			md := fd.Messages().Get(i)
			all = append(all, string(md.FullName()))
			if short {
				all = append(all, string(md.Name()))
			}
		}
		for i := range fd.Imports().Len() {
			visit(fd.Imports().Get(i).FileDescriptor)
		}
	}
	for _, sym := range found {
		visit(sym.ParentFile())
	}
	return all
}

// methodNames returns the names that the methods of a service may be called by.
func methodNames(service *dynclient.Symbol, short bool) (all []string) {
	for _, m := range service.Methods() {
		all = append(all, m.Path())
		if short {
			all = append(all, string(service.Name())+"/"+string(m.Name()), string(m.Name()))
		}
	}
	return all
}
