package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/dyngate/dyngate/dynserver"
)

// listenAll listens on all addresses, or on none if one fails.
func listenAll(ctx context.Context, addrs []string) ([]dynserver.Listener, error) {
	listeners := make([]dynserver.Listener, 0, len(addrs))
	for _, addr := range addrs {
		lis, err := listen(ctx, addr)
		if err != nil {
			for _, l := range listeners {
				_ = l.Close()
			}
			return nil, err
		}
		listeners = append(listeners, dynserver.GRPC(lis))
	}
	return listeners, nil
}

// listen listens on host:port, on a port of the loopback, or on unix:PATH.
func listen(ctx context.Context, addr string) (net.Listener, error) {
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
		return nil, fmt.Errorf("%w: choose another address with --grpc", err)
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
