package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers/diag"
)

// printReport prints what a load did: the problems that are new, and what changed.
func printReport(w io.Writer, ink ink, r dynserver.Report) {
	if text := diag.Render(r.New); text != "" {
		fmt.Fprintln(w, ink.diagnostics(text))
	}
	if r.Generation == 1 && r.Applied {
		return // the welcome lists the services
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
	fmt.Fprintln(w, ink.wrap(fmt.Sprintf("reloaded in %s: %s", r.Took.Round(100*time.Microsecond), strings.Join(parts, "; "))))
}

// shorten joins names, or the first of many.
func shorten(names []string) string {
	if len(names) > listed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:listed], ", "), len(names)-listed)
	}
	return strings.Join(names, ", ")
}
