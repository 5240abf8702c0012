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

// conn is the net.Conn that grpc's transport reads and writes. It counts frames and
// the memory that its calls hold. A nil conn counts nothing.
type conn struct {
	net.Conn
	limiter *limiter
	addr    net.Addr // the peer's, and the key with which calls find the connection

	early   []byte // were read from Conn before grpc began to read
	in      frames // used by grpc's reader alone
	began   bool   // grpc has begun to read
	opening int64  // bytes that an unfinished header block holds

	answered   atomic.Int64 // calls, with trailers
	lastStream atomic.Uint32

	writing sync.Mutex
	out     frames

	inflating chan struct{} // taken while one of its large messages is inflated
	large     atomic.Int64  // messages that are inflated so, or wait for it

	held  atomic.Int64 // bytes; far below zero once the limiter does not count them any more
	ended atomic.Bool  // by the limiter

	mu       sync.Mutex
	closed   bool  // by grpc
	credited int64 // answered calls that have paid for resets
	resets   bucket
	inflated bucket
}

const (
	prefaceSize = len(http2.ClientPreface)

	// goAwayTime bounds the time to send GOAWAY to a client.
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

// RemoteAddr implements net.Conn. grpc's transport calls it once and gives the result
// to every call as its peer.
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
	n, err := c.read(p)
	c.count(p[:n])
	if c.ended.Load() {
		return 0, errEnded
	}
	return n, err
}

func (c *conn) read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// count counts the frames in p, which has been read.
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

// headerAmplification is how many bytes of memory one byte of a header block takes
// at most: it may be a whole field, by reference to an earlier one.
const headerAmplification = 64

// countHeaders counts a header block of several frames as held until it is complete.
// Complete ones are counted with their calls.
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

// spendResets ends the connection if it has reset too many calls. Each answered call
// pays for one reset, its own or that of another call: clients reset calls that the
// server ends before they have half-closed them.
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
	resets := int64(0)
	for h, rest, ok := c.out.next(p[:n]); ok; h, rest, ok = c.out.next(rest) {
		if h.typ == http2.FrameHeaders && h.flags.Has(http2.FlagHeadersEndStream) {
			c.answered.Add(1)
		}
		if h.resetsClient() {
			resets++
		}
	}
	c.writing.Unlock()
	if resets > 0 {
		c.spendResets(resets)
	}
	return n, err
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.uncount()
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

// hold counts n bytes as held by the connection. The caller must release them. It
// fails if all connections together hold too much and this one holds more than its
// share. The connections that hold the most are ended then.
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

// uncounted is the value of conn.held once the limiter does not count the connection
// any more: so low that calls which still hold and release do not matter.
const uncounted = math.MinInt64 / 2

var (
	errEnded = status.Error(codes.Unavailable, "the connection was ended")
	errHeld  = status.Error(codes.ResourceExhausted, "the calls in progress hold too much memory")
)

// release ends the holding of n bytes.
func (c *conn) release(n int64) {
	if c == nil || n == 0 {
		return
	}
	if c.held.Add(-n) >= 0 {
		c.limiter.held.Add(-n)
	}
}

// uncount removes a connection that is about to end from the limiter's sum.
func (c *conn) uncount() {
	if held := c.held.Swap(uncounted); held > 0 {
		c.limiter.held.Add(-held)
	}
}

// end sends GOAWAY to the client and makes grpc close the connection and end all of
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

// goAway writes a GOAWAY frame, unless the client does not read and grpc is stuck in
// the middle of another frame.
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
