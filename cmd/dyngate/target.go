package main

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// schemes are the schemes of targets that gRPC knows, in grpc-go or elsewhere. A
// target with one of them is passed on as it is.
var schemes = []string{"dns", "ipv4", "ipv6", "passthrough", "unix", "unix-abstract", "vsock", "xds"}

// normalTarget turns a port into an address of the loopback, as `dyngate serve`
// does, and refuses text that gRPC would take for a host name.
func normalTarget(target string) (string, error) {
	if isURL(target) {
		return target, nil
	}
	scheme, rest, _ := strings.Cut(target, ":")
	if rest != "" && slices.Contains(schemes, strings.ToLower(scheme)) {
		return target, nil
	}
	if !strings.Contains(target, ":") && isPort(target) {
		return net.JoinHostPort("127.0.0.1", target), nil
	}
	host, port, err := net.SplitHostPort(target)
	if err != nil || !isPort(port) {
		return "", fmt.Errorf("%q is not a target: write HOST:PORT ([::1]:50051 for IPv6), a port of the loopback, unix:PATH, http://HOST:PORT or https://HOST, or another target of gRPC, such as dns:///HOST:PORT", target)
	}
	if host == "" {
		return net.JoinHostPort("127.0.0.1", port), nil
	}
	return target, nil
}

// isURL reports whether a target is the URL of an HTTP server.
func isURL(target string) bool {
	scheme, _, found := strings.Cut(target, "://")
	return found && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// looksLikeTarget reports whether an argument is a target rather than a name in a
// schema.
func looksLikeTarget(s string) bool { return strings.Contains(s, ":") || isPort(s) }

func isPort(s string) bool {
	port, err := strconv.ParseUint(s, 10, 16)
	return err == nil && port > 0
}
