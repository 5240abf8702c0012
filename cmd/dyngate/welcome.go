package main

import (
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/dyngate/dyngate/dynserver"
)

// listed is how many services the welcome names.
const listed = 20

// printWelcome says what is served, where, and what to try next.
func printWelcome(w io.Writer, services []dynserver.ServiceInfo, listeners []dynserver.Listener) {
	width := 0
	for _, s := range services[:min(listed, len(services))] {
		width = max(width, len(s.Name))
	}
	noun := "services"
	if len(services) == 1 {
		noun = "service"
	}
	if len(services) == 0 {
		fmt.Fprintln(w, "Serving no services yet.")
	} else {
		fmt.Fprintf(w, "Serving %d %s:\n", len(services), noun)
	}
	for i, s := range services {
		if i == listed {
			fmt.Fprintf(w, "  ... and %d more\n", len(services)-listed)
			break
		}
		fmt.Fprintf(w, "  %-*s  %s%s\n", width, s.Name, s.File, answered(s))
	}
	printUnanswered(w, services)
	addrs := make([]string, len(listeners))
	for i, lis := range listeners {
		addrs[i] = dialAddr(lis.Addr())
	}
	fmt.Fprintf(w, "gRPC, with reflection and health, on %s\n\n", strings.Join(addrs, ", "))
	fmt.Fprintf(w, "Try: %s\n", tryNext(services, addrs[0]))
}

// printUnanswered names the methods that nothing answers.
func printUnanswered(w io.Writer, services []dynserver.ServiceInfo) {
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
		fmt.Fprintf(w, "1 method has no handler: %s\n", paths[0])
	default:
		fmt.Fprintf(w, "%d methods have no handler: %s\n", len(paths), shorten(paths))
	}
}

// answered tells about the methods that nothing answers, if there are any.
func answered(s dynserver.ServiceInfo) string {
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

// dialAddr is the address as a client on this machine would dial it.
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
