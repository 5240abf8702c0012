package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers/diag"
)

// printReport tells a person what a load did: what is wrong now and was not
// before, with the source line and a caret, and what changed.
func printReport(w io.Writer, r dynserver.Report) {
	if text := diag.Render(r.New); text != "" {
		fmt.Fprintln(w, text)
	}
	if r.Generation == 1 && r.Applied {
		return // the welcome tells the rest
	}
	var parts []string
	for _, change := range []struct {
		what  string
		names []string
	}{
		{"added", r.Added},
		{"changed", r.Changed},
		{"removed", r.Removed},
		{"recovered", r.Recovered},
		{"no longer declared, removed unless they come back soon", r.Leaving},
		{"stale, served from their last good version", r.Stale},
	} {
		if len(change.names) > 0 {
			parts = append(parts, change.what+": "+shorten(change.names))
		}
	}
	if !r.Applied {
		parts = append(parts, "held back: there are errors")
	}
	if len(parts) == 0 {
		parts = append(parts, "no service changed")
	}
	fmt.Fprintf(w, "reloaded in %s: %s\n", r.Took.Round(100_000), strings.Join(parts, "; "))
}

// shorten lists names, and how many more there are.
func shorten(names []string) string {
	if len(names) > listed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:listed], ", "), len(names)-listed)
	}
	return strings.Join(names, ", ")
}
