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
func (f *serveFlags) welcome(log *slog.Logger, services []dynserver.ServiceInfo, where listeners) {
	at := addresses{cert: f.tls.Cert, clientCerts: f.tls.ClientCA != ""}
	for _, lis := range where.grpc {
		at.grpc = append(at.grpc, dialAddr(lis.Addr()))
	}
	for _, lis := range where.http {
		at.http = append(at.http, at.url(lis.Addr()))
	}
	if f.logFormat == "json" {
		log.Info("serving", "services", len(services), "addresses", at.grpc, "http", at.http)
		return
	}
	printWelcome(os.Stdout, inkFor(os.Stdout), services, at)
}

// addresses are where clients on this machine find the server.
type addresses struct {
	grpc, http  []string
	cert        string // the file of the certificate, with TLS
	clientCerts bool   // clients need certificates, too
}

// url returns the URL of an address of the HTTP port.
func (a addresses) url(addr net.Addr) string {
	switch {
	case addr.Network() == "unix":
		return dialAddr(addr)
	case a.cert != "":
		return "https://" + addr.String()
	}
	return "http://" + addr.String()
}

// printWelcome prints what is served, where, and what to try next.
func printWelcome(w io.Writer, ink ink, services []dynserver.ServiceInfo, at addresses) {
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
	if len(at.grpc) > 0 {
		fmt.Fprintf(w, "gRPC, with reflection and health, on %s\n", strings.Join(at.grpc, ", "))
	}
	if len(at.http) > 0 {
		fmt.Fprintf(w, "HTTP, with JSON, Connect and gRPC-Web, on %s\n", strings.Join(at.http, ", "))
	}
	fmt.Fprintln(w)
	for i, command := range at.try(services) {
		fmt.Fprintf(w, "%s %s\n", [2]string{"Try:", "    "}[min(i, 1)], command)
	}
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

// try returns commands to try next.
func (a addresses) try(services []dynserver.ServiceInfo) (commands []string) {
	path := greeting(services)
	target := a.target()
	if a.cert != "" {
		target += " --ca " + a.cert
	}
	if a.clientCerts {
		target += " --cert FILE --key FILE"
	}
	if path == "" {
		return []string{"dyngate list " + target}
	}
	commands = append(commands, fmt.Sprintf(`dyngate call %s %s -d '{"name": "you"}'`, target, path))
	if len(a.http) > 0 {
		commands = append(commands, a.curl(a.http[0], path))
	}
	return commands
}

// target returns the target of dyngate's own commands.
func (a addresses) target() string {
	switch {
	case len(a.grpc) > 0:
		return a.grpc[0]
	case strings.HasPrefix(a.http[0], "unix:"):
		return a.http[0] + " --protocol connect"
	}
	return a.http[0]
}

// curl returns the command with which curl makes a call.
func (a addresses) curl(url, path string) string {
	options := ""
	if socket, ok := strings.CutPrefix(url, "unix://"); ok {
		options += " --unix-socket " + socket
		url = "http://localhost"
		if a.cert != "" {
			url = "https://localhost"
		}
	}
	if a.cert != "" {
		options += " --cacert " + a.cert
	}
	if a.clientCerts {
		options += " --cert FILE --key FILE"
	}
	return fmt.Sprintf(`curl%s %s/%s --json '{"name": "you"}'`, options, url, path)
}

// greeting returns the path of a method that greets by name, if one is served.
func greeting(services []dynserver.ServiceInfo) string {
	for _, s := range services {
		if s.Name == "tutorial.Greeter" && s.Methods[0].Handler != "" {
			return "tutorial.Greeter/SayHello"
		}
	}
	return ""
}
