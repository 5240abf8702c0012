// Command dyngate serves gRPC services straight from .proto files, and calls
// those of any server. See `dyngate help`.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	err := newRoot().ExecuteContext(context.Background())
	if err != nil {
		printFailure(os.Stderr, err)
	}
	os.Exit(exitStatus(err))
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "dyngate",
		Version:       version(),
		Short:         "Serve gRPC services straight from .proto files, and call any, without code generation",
		SilenceUsage:  true,
		SilenceErrors: true,

		DisableFlagsInUseLine: true,

		Args: args(cobra.NoArgs), // which an unknown command is
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newServe(), newCheck(), newCall(), newList(), newDescribe(), newVersion())
	return root
}

// args turns what cobra says of the number of arguments into a usage error.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w; the command is %s", err, cmd.UseLine())}
		}
		return nil
	}
}
