// Package cli tests the command line: what the commands print, with which status
// they exit, and what signals and closed pipes do to them.
package cli
