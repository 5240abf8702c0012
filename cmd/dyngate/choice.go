package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dyngate/dyngate/internal/nearest"
)

// choice is a flag that has one of a few values.
type choice struct {
	value   *string
	options []string
}

// addChoice adds a flag to a command, persistent or not, with its completion. The
// default is the first option.
func addChoice(cmd *cobra.Command, value *string, name, shorthand, usage string, options ...string) {
	*value = options[0]
	cmd.Flags().VarP(choice{value, options}, name, shorthand, usage)
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(options, cobra.ShellCompDirectiveNoFileComp))
}

// Set implements pflag.Value.
func (c choice) Set(s string) error {
	for _, option := range c.options {
		if s == option {
			*c.value = s
			return nil
		}
	}
	last := len(c.options) - 1
	list := strings.Join(c.options[:last], ", ") + " or " + c.options[last]
	return errors.New("it must be " + list + nearest.DidYouMean(nearest.Names(s, c.options, 1)))
}

// String implements pflag.Value.
func (c choice) String() string { return *c.value }

// Type implements pflag.Value. The help text shows it in place of the value.
func (c choice) Type() string { return strings.Join(c.options, "|") }
