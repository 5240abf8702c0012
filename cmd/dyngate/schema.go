package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/dyngate/dyngate/dynclient"
)

// schemaTime is the longest time to find the schema: a server of thousands of
// services needs a while to send all of them. It is the default of --deadline for
// commands that do nothing else.
const schemaTime = 20 * time.Second

// schemaFlags are the settings for where the schema comes from.
type schemaFlags struct {
	protos      []string
	descriptors []string
	reflection  bool
}

func (f *schemaFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.protos, "proto", nil, "take the schema from the .proto files in `DIR` (an import root, like protoc's -I), or from one .proto file; repeatable")
	flags.StringArrayVar(&f.descriptors, "descriptors", nil, "take the schema from the descriptor set or buf image in `FILE`; repeatable")
}

// local reports whether the schema is in files only.
func (f *schemaFlags) local() bool {
	return len(f.protos)+len(f.descriptors) > 0 && !f.reflection
}

// sources returns the files of the flags, or else the server's reflection.
func (f *schemaFlags) sources() []dynclient.Source {
	paths := slices.Concat(slices.DeleteFunc(slices.Clone(f.protos), f.inFolder), f.descriptors)
	sources := make([]dynclient.Source, 0, len(paths)+1)
	for _, path := range paths {
		sources = append(sources, dynclient.Path(path))
	}
	if !f.local() {
		sources = append(sources, dynclient.Reflection())
	}
	return sources
}

// check reports a file or folder that does not exist.
func (f *schemaFlags) check() error {
	for _, path := range slices.Concat(f.protos, f.descriptors) {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("cannot read the schema: %w", err)
		}
	}
	return nil
}

// inFolder reports whether a .proto file is below a folder of --proto. Then it is
// taken from the folder, by the path that others import it by.
func (f *schemaFlags) inFolder(path string) bool {
	return filepath.Ext(path) == ".proto" && slices.ContainsFunc(f.protos, func(folder string) bool {
		from, _ := filepath.Abs(folder)
		to, _ := filepath.Abs(path)
		rel, err := filepath.Rel(from, to)
		return err == nil && rel != "." && filepath.IsLocal(rel)
	})
}
