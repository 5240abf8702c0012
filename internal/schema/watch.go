package schema

import (
	"maps"
	"slices"

	"github.com/dyngate/dyngate/internal/watch"
)

// Roots returns the files and folders that the sources read. The imports of a single
// .proto file are known only after compiling, so each Compile may change the result.
func (c *Compiler) Roots() []watch.Root {
	c.mu.Lock()
	defer c.mu.Unlock()
	roots := make([]watch.Root, 0, len(c.opts.Sources))
	for i, s := range c.opts.Sources {
		if s.path == "" {
			continue
		}
		roots = append(roots, watch.Root{Path: s.path, Suffix: ".proto"})
		if c.opts.Companions != "" {
			roots = append(roots, watch.Root{Path: s.path, Suffix: c.opts.Companions})
		}
		if t, ok := c.readers[i].(*tree); ok && t.only != "" {
			for _, p := range slices.Sorted(maps.Keys(t.files)) {
				roots = append(roots, watch.Root{Path: t.locate(p), Suffix: ".proto"})
			}
		}
	}
	return roots
}

// Signals returns the signals for changes that are not in files: those of FS sources
// that report their changes, and one that a file was compiled for which Compile did not
// wait.
func (c *Compiler) Signals() []watch.Signal {
	signals := []watch.Signal{c.late}
	for _, s := range c.opts.Sources {
		if signal, ok := s.fsys.(watch.Signal); ok {
			signals = append(signals, signal)
		}
	}
	return signals
}
