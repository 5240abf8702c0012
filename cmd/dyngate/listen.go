package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/dyngate/dyngate/dynserver"
)

// defaultHTTP is where HTTP is served if no flag says otherwise.
const defaultHTTP = "127.0.0.1:8080"

// listeners are where the server listens.
type listeners struct{ grpc, http []net.Listener }

// all returns all of them for the server.
func (l listeners) all() (all []dynserver.Listener) {
	for _, lis := range l.grpc {
		all = append(all, dynserver.GRPC(lis))
	}
	for _, lis := range l.http {
		all = append(all, dynserver.HTTP(lis))
	}
	return all
}

func (l listeners) close() {
	for _, lis := range l.all() {
		_ = lis.Close()
	}
}

// listen listens on all addresses, or on none if one fails. It goes on without the
// default address of HTTP if that is taken.
func (f *serveFlags) listen(ctx context.Context, log *slog.Logger) (all listeners, err error) {
	defer func() {
		if err != nil {
			all.close()
		}
	}()
	for _, addr := range given(f.grpc) {
		lis, err := listen(ctx, addr, "--grpc")
		if err != nil {
			return all, err
		}
		all.grpc = append(all.grpc, lis)
	}
	optional := !f.httpGiven && len(all.grpc) > 0
	if optional && covers(all.grpc, defaultHTTP) {
		log.Warn("HTTP is not served: --grpc has its default address; choose another with --http", "address", defaultHTTP)
		return all, nil
	}
	for _, addr := range given(f.http) {
		lis, err := listen(ctx, addr, "--http")
		if optional && errors.Is(err, syscall.EADDRINUSE) {
			log.Warn("HTTP is not served: its default address is taken; choose another with --http", "address", addr)
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all.http = append(all.http, lis)
	}
	return all, nil
}

// given returns the addresses of --grpc or --http: none if there is only an empty one.
func given(addrs []string) []string {
	if len(addrs) == 1 && addrs[0] == "" {
		return nil
	}
	return addrs
}

// covers reports whether a listener gets the connections to an address, which not all
// systems take for an error.
func covers(all []net.Listener, addr string) bool {
	want, err := netip.ParseAddrPort(addr)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(all, func(lis net.Listener) bool {
		tcp, ok := lis.Addr().(*net.TCPAddr)
		if !ok {
			return false
		}
		has := tcp.AddrPort()
		return has.Port() == want.Port() && (has.Addr().IsUnspecified() || has.Addr().Unmap() == want.Addr())
	})
}

// listen listens on host:port, on a port of the loopback, or on unix:PATH, which a flag
// names.
func listen(ctx context.Context, addr, flag string) (net.Listener, error) {
	var config net.ListenConfig
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		path = strings.TrimPrefix(path, "//")
		if err := removeDeadSocket(ctx, path); err != nil {
			return nil, fmt.Errorf("listening on %s: %w", addr, err)
		}
		return config.Listen(ctx, "unix", path)
	}
	if _, err := strconv.ParseUint(addr, 10, 16); err == nil {
		addr = net.JoinHostPort("127.0.0.1", addr)
	}
	lis, err := config.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w: choose another address with %s", err, flag)
	}
	return lis, err
}

// removeDeadSocket removes the socket that a killed server left. It keeps a socket
// with a listener, and any other file.
func removeDeadSocket(ctx context.Context, path string) error {
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSocket == 0 {
		return nil //nolint:nilerr // Listen creates it, or says what is in the way
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err == nil {
		_ = conn.Close()
		return errors.New("another process listens on it")
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return os.Remove(path)
	}
	return nil
}
