package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/internal/safetext"
)

// listed is how many services the welcome names.
const listed = 20

// welcome says what is served and where: to a person, or in the log if that is in
// JSON.
func (f *serveFlags) welcome(log *slog.Logger, services []dynserver.ServiceInfo, listeners []dynserver.Listener) {
	addrs := make([]string, len(listeners))
	for i, lis := range listeners {
		addrs[i] = dialAddr(lis.Addr())
	}
	if f.logFormat == "json" {
		log.Info("serving", "services", len(services), "addresses", addrs)
		return
	}
	printWelcome(os.Stdout, inkFor(os.Stdout), services, addrs)
}

// printWelcome prints what is served, where, and what to try next.
func printWelcome(w io.Writer, ink ink, services []dynserver.ServiceInfo, addrs []string) {
	shown := services[:min(listed, len(services))]
	width := 0
	for _, s := range shown {
		width = max(width, len(s.Name))
	}
	if len(services) == 0 {
		fmt.Fprintln(w, "Serving no services yet.")
	} else {
		fmt.Fprintf(w, "Serving %s:\n", plural(len(services), "service"))
	}
	for _, s := range shown {
		padding := strings.Repeat(" ", width-len(s.Name))
		fmt.Fprintf(w, "  %s%s  %s%s\n", ink.bold(s.Name), padding, ink.dim(safetext.Clean(s.File)), unansweredNote(s))
	}
	if len(services) > listed {
		fmt.Fprintf(w, "  ... and %d more\n", len(services)-listed)
	}
	printUnanswered(w, ink, services)
	fmt.Fprintf(w, "gRPC, with reflection and health, on %s\n\n", strings.Join(addrs, ", "))
	fmt.Fprintf(w, "Try: %s\n", tryNext(services, addrs[0]))
}

// printUnanswered prints the methods without a handler.
func printUnanswered(w io.Writer, ink ink, services []dynserver.ServiceInfo) {
	var paths []string
	for _, s := range services {
		for _, m := range s.Methods {
			if m.Handler == "" {
				paths = append(paths, m.Path)
			}
		}
	}
	switch len(paths) {
	case 0:
	case 1:
		fmt.Fprintln(w, ink.wrap("1 method has no handler: "+paths[0]))
	default:
		fmt.Fprintln(w, ink.wrap(fmt.Sprintf("%d methods have no handler: %s", len(paths), shorten(paths))))
	}
}

// unansweredNote says how many methods of a service have no handler, if any.
func unansweredNote(s dynserver.ServiceInfo) string {
	missing := 0
	for _, m := range s.Methods {
		if m.Handler == "" {
			missing++
		}
	}
	switch missing {
	case 0:
		return ""
	case len(s.Methods):
		return "  (no handlers)"
	default:
		return fmt.Sprintf("  (%d of %d methods without a handler)", missing, len(s.Methods))
	}
}

// dialAddr returns the address as a client on this machine would dial it.
func dialAddr(addr net.Addr) string {
	if addr.Network() == "unix" {
		return "unix://" + addr.String()
	}
	return addr.String()
}

func tryNext(services []dynserver.ServiceInfo, addr string) string {
	for _, s := range services {
		if s.Name == "tutorial.Greeter" && s.Methods[0].Handler != "" {
			return fmt.Sprintf(`dyngate call %s tutorial.Greeter/SayHello -d '{"name": "you"}'`, addr)
		}
	}
	return "dyngate list " + addr
}
