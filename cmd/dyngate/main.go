// Command dyngate serves gRPC services straight from .proto files, and calls the
// methods of any server. See `dyngate help`.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dyngate/dyngate/internal/nearest"
)

func main() {
	err := newRoot().ExecuteContext(context.Background())
	switch {
	case err == nil:
	case logsJSON(os.Args[1:]):
		logFailure(os.Stderr, err)
	default:
		printFailure(os.Stderr, err)
	}
	os.Exit(exitStatus(err))
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "dyngate",
		Version:       version(),
		Short:         "Serve and call gRPC services straight from .proto files, without code generation",
		SilenceUsage:  true,
		SilenceErrors: true,

		DisableFlagsInUseLine: true,

		Args: knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.PersistentFlags().Var(choice{&colors, []string{"auto", "always", "never"}}, "color", "color the output for people: auto means on a terminal, unless NO_COLOR is set")
	_ = root.RegisterFlagCompletionFunc("color", cobra.FixedCompletions([]string{"auto", "always", "never"}, cobra.ShellCompDirectiveNoFileComp))
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "Flags.FlagUsages ", fmt.Sprintf("Flags.FlagUsagesWrapped %d ", inkFor(os.Stdout).width)))
	root.AddCommand(newServe(), newCheck(), newOpenAPI(), newCall(), newList(), newDescribe(), newVersion())
	return root
}

// knownCommand refuses arguments of the root command: the first one is a command
// that does not exist.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	names := make([]string, 0, len(root.Commands()))
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	return usageError{fmt.Errorf("unknown command %q%s; `dyngate help` lists the commands", args[0], nearest.DidYouMean(nearest.Names(args[0], names, 2)))}
}

// valuesOf says which values the flags of a type take, by the type's name in pflag.
var valuesOf = map[string]string{
	"bool":     "true or false",
	"duration": "a duration, such as 500ms, 30s or 5m",
	"float64":  "a number",
	"int":      "a whole number",
	"int64":    "a whole number",
	"uint32":   "a whole number that is not negative",
}

// flagError turns an error of pflag into a usage error, with the values that the
// flag takes, or with the flags that may have been meant.
func flagError(cmd *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		flag, cause := invalid.GetFlag(), invalid.Unwrap()
		if values := valuesOf[flag.Value.Type()]; errors.Is(err, strconv.ErrRange) {
			cause = errors.New("it is out of range")
		} else if values != "" {
			cause = errors.New("it must be " + values)
		}
		return usageError{fmt.Errorf("invalid argument %q for --%s: %w", invalid.GetValue(), flag.Name, cause)}
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || unknown.GetSpecifiedShortnames() != "" {
		return usageError{err}
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	near := nearest.Names(unknown.GetSpecifiedName(), known, 3)
	for i, name := range near {
		near[i] = "--" + name
	}
	return usageError{fmt.Errorf("%w%s", err, nearest.DidYouMean(near))}
}

// args turns an error about the number of arguments into a usage error.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w; the command is %s", err, cmd.UseLine())}
		}
		return nil
	}
}
