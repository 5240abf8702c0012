package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"google.golang.org/grpc/stats"

	"github.com/dyngate/dyngate/dynclient"
)

// protocols are the values of --protocol.
var protocols = []string{string(dynclient.GRPC), string(dynclient.Connect), string(dynclient.GRPCWeb)}

// overHTTP reports whether calls to a target go over net/http. Calls of gRPC to a
// target without http:// use grpc-go.
func (f *connectFlags) overHTTP(target string) bool {
	return isURL(target) || f.protocol != "" && f.protocol != string(dynclient.GRPC)
}

// connectHTTP returns a connection to a target that is a URL, or that --protocol
// makes one.
func (f *connectFlags) connectHTTP(target string, handler stats.Handler) (connection, error) {
	o := dynclient.HTTPOptions{
		Protocol:  dynclient.Protocol(f.protocol),
		Authority: f.authority,
		UserAgent: "dyngate",
		Stats:     handler,
	}
	dialer := &net.Dialer{Timeout: f.connectTimeout}
	o.DialContext = dialer.DialContext
	if !isURL(target) {
		address, socket, err := f.splitTarget(target)
		if err != nil {
			return nil, err
		}
		target = address
		if socket != "" {
			o.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, "unix", socket)
			}
		}
	}
	secure := len(target) > 5 && strings.EqualFold(target[:6], "https:")
	if secure {
		config, err := f.tlsConfig()
		if err != nil {
			return nil, err
		}
		o.TLS = config
	} else if f.usesTLS() {
		return nil, errors.New("http:// is without TLS, which a flag asks for: write https://")
	}
	return dynclient.NewHTTPConn(target, o)
}

// splitTarget returns the URL of a target that is not one and, for a socket of the
// file system, its path.
func (f *connectFlags) splitTarget(target string) (address, socket string, err error) {
	scheme := "http://"
	if f.usesTLS() {
		scheme = "https://"
	}
	kind, rest, _ := strings.Cut(target, ":")
	switch strings.ToLower(kind) {
	case "unix":
		return scheme + "localhost", strings.TrimPrefix(rest, "//"), nil
	case "unix-abstract":
		return scheme + "localhost", "@" + rest, nil
	case "dns", "ipv4", "ipv6", "passthrough", "vsock", "xds":
		return "", "", fmt.Errorf("--protocol %s: %q is a target of gRPC: write http://HOST:PORT, https://HOST, HOST:PORT or unix:PATH", f.protocol, target)
	}
	return scheme + target, "", nil
}
