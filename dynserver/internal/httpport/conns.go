package httpport

import (
	"container/list"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// conns bounds the number of connections. If there are too many it closes the one that
// has been without a request for the longest time, so that idle connections never lock
// out others. If all have requests it refuses the new one.
type conns struct {
	limit int           // 0 for none
	stall time.Duration // 0 for none
	log   *slog.Logger

	mu      sync.Mutex
	open    map[net.Conn]*list.Element // of order
	order   list.List                  // of net.Conn: those with a request, mark, and those without, longest first
	mark    *list.Element
	refused time.Time // the last one that was logged
}

func (c *conns) init(o Options) {
	c.limit, c.stall, c.log = o.MaxConnections, o.StallTimeout, o.Log
	c.open = make(map[net.Conn]*list.Element)
	c.mark = c.order.PushBack(nil)
}

// listener returns a listener whose connections are counted.
func (c *conns) listener(inner net.Listener) net.Listener { return &listener{inner, c} }

type listener struct {
	net.Listener
	conns *conns
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if _, ok := accepted.(*tls.Conn); !ok { // net/http must see these as they are
			accepted = &conn{Conn: accepted, conns: l.conns}
		}
		surplus := l.conns.add(accepted)
		if surplus != nil {
			_ = surplus.Close()
		}
		if surplus != accepted {
			return accepted, nil
		}
	}
}

// add counts a new connection, and returns the one to close if there are too many.
func (c *conns) add(n net.Conn) (surplus net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit > 0 && len(c.open) >= c.limit {
		first := c.mark.Next()
		if first == nil {
			c.report(n)
			return n
		}
		surplus = first.Value.(net.Conn)
		c.remove(surplus)
	}
	c.open[n] = c.order.PushBack(n)
	return surplus
}

// report logs that a connection was refused, at most once a second.
func (c *conns) report(n net.Conn) {
	if now := time.Now(); now.Sub(c.refused) >= time.Second {
		c.refused = now
		c.log.Warn("connection refused: too many have requests in progress", "peer", n.RemoteAddr().String(), "limit", c.limit)
	}
}

// changed is the ConnState of the http.Server.
func (c *conns) changed(n net.Conn, state http.ConnState) {
	if secure, ok := n.(*tls.Conn); ok {
		inner, ours := secure.NetConn().(*conn)
		switch {
		case ours:
			n = inner
		case state == http.StateHijacked:
			state = http.StateClosed // nothing tells when it is
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	element, known := c.open[n]
	if !known { // it was closed to make room
		return
	}
	switch state {
	case http.StateNew:
	case http.StateActive, http.StateHijacked:
		c.order.MoveBefore(element, c.mark)
	case http.StateIdle:
		c.order.MoveToBack(element)
	case http.StateClosed:
		c.remove(n)
	}
}

// forget removes a connection that is closed.
func (c *conns) forget(n net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(n)
}

// remove removes a connection. The caller holds c.mu.
func (c *conns) remove(n net.Conn) {
	if element := c.open[n]; element != nil {
		c.order.Remove(element)
		delete(c.open, n)
	}
}

// conn is a connection whose writes fail if the client does not read.
type conn struct {
	net.Conn
	conns *conns
}

// piece is how much of an answer the client must read within the time limit.
const piece = 64 << 10

// Write implements net.Conn.
func (c *conn) Write(p []byte) (written int, err error) {
	stall := c.conns.stall
	if stall == 0 {
		return c.Conn.Write(p)
	}
	for {
		if err := c.SetWriteDeadline(time.Now().Add(stall)); err != nil {
			return written, err
		}
		n, err := c.Conn.Write(p[:min(len(p), piece)])
		written += n
		if p = p[n:]; err != nil || len(p) == 0 {
			return written, err
		}
	}
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.conns.forget(c)
	return c.Conn.Close()
}
