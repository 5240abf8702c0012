// Package httpcall converts between HTTP requests and calls, for all protocols that
// net/http carries: callers, metadata, deadlines, messages.
package httpcall

import (
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/dyngate/dyngate/handlers"
)

// Peer returns the caller of a request.
func Peer(r *http.Request, protocol string) handlers.Peer {
	p := handlers.Peer{Protocol: protocol, Addr: address(r.RemoteAddr), TLS: r.TLS}
	p.LocalAddr, _ = r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return p
}

// address returns an address as net/http writes it. Those of Unix sockets are no IP
// addresses.
func address(s string) net.Addr {
	if at, err := netip.ParseAddrPort(s); err == nil {
		return net.TCPAddrFromAddrPort(at)
	}
	return &net.UnixAddr{Name: s, Net: "unix"}
}

// Timeout reads the value of a Grpc-Timeout header. Like grpc-go, it takes hours that
// a Duration cannot hold as the longest Duration.
func Timeout(value string) (time.Duration, error) {
	const maxDigits = 8
	wrong := fmt.Errorf("timeout %.20q is not up to 8 digits and one of H, M, S, m, u, n", value)
	if len(value) < 2 || len(value) > maxDigits+1 {
		return 0, wrong
	}
	last := len(value) - 1
	unit, ok := units[value[last]]
	n, err := strconv.ParseUint(value[:last], 10, 32)
	if err != nil || !ok {
		return 0, wrong
	}
	if int64(n) > math.MaxInt64/int64(unit) {
		return math.MaxInt64, nil
	}
	return time.Duration(n) * unit, nil
}

var units = map[byte]time.Duration{
	'H': time.Hour, 'M': time.Minute, 'S': time.Second,
	'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond,
}
