package main

import (
	"fmt"
	"io"
	"slices"
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
	if fixed := filesOf(r.Fixed); len(fixed) > 0 {
		parts = append(parts, "fixed: "+shorten(fixed))
	}
	if r.HeldBack {
		parts = append(parts, "held back: there are errors")
	}
	if len(parts) == 0 {
		parts = append(parts, "no service changed")
	}
	fmt.Fprintln(w, ink.wrap(fmt.Sprintf("reloaded in %s: %s", r.Took.Round(100*time.Microsecond), strings.Join(parts, "; "))))
}

// filesOf returns the files of diagnostics, or the messages of those without a file,
// each once.
func filesOf(diags []*diag.Diagnostic) (names []string) {
	for _, d := range diags {
		name := d.Path
		if name == "" {
			name = d.Message
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// shorten joins names, or the first of many.
func shorten(names []string) string {
	if len(names) > listed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:listed], ", "), len(names)-listed)
	}
	return strings.Join(names, ", ")
}
