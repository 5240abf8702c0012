package grpcfront

import (
	"bytes"
	"errors"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// conn is a connection as grpc's transport reads and writes it. It counts frames,
// and what the connection's calls hold. A nil conn counts nothing.
type conn struct {
	net.Conn
	limiter *limiter
	addr    net.Addr // the peer's, and the key by which calls find the connection

	in      frames // used by grpc's reader alone
	began   bool   // with reading
	opening int64  // bytes that an unfinished header block holds

	answered   atomic.Int64 // calls, with trailers
	lastStream atomic.Uint32

	writing sync.Mutex
	out     frames

	inflating chan struct{} // taken while one of its large messages is inflated
	large     atomic.Int64  // messages for which that is, or is waited for

	held  atomic.Int64 // bytes; far below zero once they are not in the limiter's sum any more
	ended atomic.Bool  // by the limiter

	mu       sync.Mutex
	closed   bool  // by grpc
	credited int64 // of the answered calls, for resets
	resets   bucket
	inflated bucket
}

const (
	prefaceSize = len(http2.ClientPreface)

	// goAwayTime is how long it may take to tell a client to go away.
	goAwayTime = 50 * time.Millisecond
)

func newConn(inner net.Conn, l *limiter) *conn {
	return &conn{
		Conn: inner, limiter: l, addr: ownAddr(inner.RemoteAddr()),
		in: frames{skip: prefaceSize}, inflating: make(chan struct{}, 1),
	}
}

// ownAddr returns a copy of an address that no other connection has.
func ownAddr(addr net.Addr) net.Addr {
	switch addr := addr.(type) {
	case *net.TCPAddr:
		own := *addr
		return &own
	case *net.UnixAddr:
		own := *addr
		return &own
	default:
		return &struct{ net.Addr }{addr}
	}
}

// RemoteAddr implements net.Conn. grpc's transport asks once, and shows the answer
// to every call as that of its peer.
func (c *conn) RemoteAddr() net.Addr { return c.addr }

// SyscallConn implements syscall.Conn, for channelz.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if inner, ok := c.Conn.(syscall.Conn); ok {
		return inner.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	if !c.began { // so that Close, which grpc calls from here on, can end it
		c.began = true
		c.limiter.conns.Store(c.addr, c)
		c.limiter.count.Add(1)
	}
	n, err := c.Conn.Read(p)
	c.count(p[:n])
	if c.ended.Load() {
		return 0, errEnded
	}
	return n, err
}

// count looks at what has been read.
func (c *conn) count(p []byte) {
	idle := int64(0)
	for h, rest, ok := c.in.next(p); ok; h, rest, ok = c.in.next(rest) {
		switch h.typ {
		case http2.FrameHeaders:
			c.lastStream.Store(h.stream)
			c.countHeaders(h)
		case http2.FrameContinuation:
			c.countHeaders(h)
		}
		if h.idle() {
			idle++
		}
	}
	if idle > 0 {
		c.spendResets(idle)
	}
}

// headerAmplification is how many bytes in memory one byte of a header block
// becomes at most: a field of its own, by reference to an earlier one.
const headerAmplification = 64

// countHeaders counts a header block that is not finished by one frame as held
// until it is. Finished ones are counted with their calls.
func (c *conn) countHeaders(h frameHead) {
	if h.flags.Has(http2.FlagHeadersEndHeaders) {
		if c.opening > 0 {
			c.release(c.opening)
			c.opening = 0
		}
		return
	}
	n := min(headerAmplification*int64(h.length), max(0, 2*int64(c.limiter.limits.header+largestHeader)-c.opening))
	if c.hold(n) != nil {
		c.end(tooMuchHeld)
		return
	}
	c.opening += n
}

// spendResets ends the connection if it has reset too many calls. Each call that
// was answered pays for a reset: be it its own, as clients reset what the server
// ends before they have half-closed it, or that of another call.
func (c *conn) spendResets(n int64) {
	l := c.limiter.limits
	c.mu.Lock()
	answered := c.answered.Load()
	credit := min(answered-c.credited, maxCredit)
	paid := min(n, credit)
	c.credited = answered - credit + paid
	ok := c.resets.take(float64(n-paid), l.resets, resetSeconds*l.resets)
	c.mu.Unlock()
	if !ok {
		c.end("it resets calls faster than MaxResets allows")
	}
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	c.writing.Lock()
	n, err := c.Conn.Write(p)
	provoked := int64(0)
	for h, rest, ok := c.out.next(p[:n]); ok; h, rest, ok = c.out.next(rest) {
		if h.typ == http2.FrameHeaders && h.flags.Has(http2.FlagHeadersEndStream) {
			c.answered.Add(1)
		}
		if h.provoked() {
			provoked++
		}
	}
	c.writing.Unlock()
	if provoked > 0 {
		c.spendResets(provoked)
	}
	return n, err
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.disown()
	if _, known := c.limiter.conns.LoadAndDelete(c.addr); known {
		c.limiter.count.Add(-1)
	}
	c.mu.Lock()
	again := c.closed
	c.closed = true
	c.mu.Unlock()
	if again || (c.ended.Load() && c.limiter.linger(c.Conn)) {
		return nil
	}
	return c.Conn.Close()
}

// hold counts n bytes as held by the connection, to be released once, or refuses
// to: when all connections hold too much, and this one more than its share. Those
// that hold the most are ended then, so that it does not last.
func (c *conn) hold(n int64) error {
	if c == nil || n == 0 {
		return nil
	}
	held := c.held.Add(n)
	if held < 0 {
		return errEnded
	}
	l := c.limiter
	if l.held.Add(n) <= l.limits.held {
		return nil
	}
	refused := held > l.limits.held/max(1, l.count.Load())
	if refused {
		c.release(n)
	}
	l.shed()
	if refused {
		return errHeld
	}
	return nil
}

// disowned is what a connection holds that is not in the limiter's sum: so little
// that calls which still hold and release do not matter.
const disowned = math.MinInt64 / 2

var (
	errEnded = status.Error(codes.Unavailable, "the connection was ended")
	errHeld  = status.Error(codes.ResourceExhausted, "the calls in progress hold too much memory")
)

// release gives back what was held.
func (c *conn) release(n int64) {
	if c == nil || n == 0 {
		return
	}
	if c.held.Add(-n) >= 0 {
		c.limiter.held.Add(-n)
	}
}

// disown takes the connection out of the limiter's sum: it is about to end.
func (c *conn) disown() {
	if held := c.held.Swap(disowned); held > 0 {
		c.limiter.held.Add(-held)
	}
}

// end tells the client to go away and makes grpc close the connection, with all of
// its calls.
func (c *conn) end(why string) {
	if c.ended.Swap(true) {
		return
	}
	c.limiter.report(c, why)
	c.goAway(why)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		_ = c.SetReadDeadline(time.Now()) // wakes the reader, which fails
	}
}

// goAway writes a GOAWAY frame, unless grpc is stuck in the middle of another
// frame since the client does not read.
func (c *conn) goAway(why string) {
	_ = c.SetWriteDeadline(time.Now().Add(goAwayTime))
	c.writing.Lock()
	defer c.writing.Unlock()
	if !c.out.between() {
		return
	}
	var b bytes.Buffer
	_ = http2.NewFramer(&b, nil).WriteGoAway(c.lastStream.Load(), http2.ErrCodeEnhanceYourCalm, []byte(why))
	_, _ = c.Conn.Write(b.Bytes())
}
