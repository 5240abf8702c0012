package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of dyngate, Go and the compiler of .proto files",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version())
			return err
		},
	}
}

// version describes the binary in one line: the version of the module or the
// revision it was built from, Go, and the compiler of .proto files.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "dyngate, unknown version"
	}
	return describeBuild(info)
}

func describeBuild(info *debug.BuildInfo) string {
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	out := "dyngate " + strings.Trim(info.Main.Version, "()")
	if revision := settings["vcs.revision"]; revision != "" {
		out += ", revision " + revision[:min(12, len(revision))]
		if settings["vcs.modified"] == "true" {
			out += " with changes"
		}
	}
	out += fmt.Sprintf(", %s %s/%s", info.GoVersion, runtime.GOOS, runtime.GOARCH)
	for _, dep := range info.Deps {
		if dep.Path == "github.com/bufbuild/protocompile" {
			out += ", protocompile " + dep.Version
		}
	}
	return out
}
