package grpcfront

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
)

// limiter protects connections from each other. grpc-go bounds what a connection does
// at once, but not what it does over time, and not what all connections hold
// together. The limiter is the server's credentials, so it wraps every connection
// inside TLS, where it can count frames.
type limiter struct {
	credentials.TransportCredentials
	plain  bool // without TLS
	limits limits
	log    *slog.Logger

	held  atomic.Int64  // by all connections
	count atomic.Int64  // of conns
	conns sync.Map      // net.Addr of the peer, unique as a pointer: *conn
	slots chan struct{} // taken while a large message is inflated

	closing   context.Context //nolint:containedctx // ends when the server stops: nothing lingers then
	close     context.CancelFunc
	lingering chan struct{} // taken while an ended connection lingers

	shedding sync.Mutex

	mu       sync.Mutex // guards what follows
	logging  bucket
	unlogged int // ended connections that were not logged
}

// limits are the limits that the limiter enforces.
type limits struct {
	held      int64   // bytes, of all connections
	resets    float64 // a second, of a connection
	inflation float64 // bytes a minute, of a connection
	recv      int     // bytes of a message
	header    int     // bytes of a header list
}

const (
	resetSeconds = 5    // the resets of this many seconds may come at once
	maxCredit    = 1000 // how many resets earlier answered calls can pay for
)

func newLimiter(creds credentials.TransportCredentials, limits limits, log *slog.Logger) *limiter {
	slots := max(1, runtime.GOMAXPROCS(0)/2)
	l := &limiter{
		TransportCredentials: creds, limits: limits, log: log,
		slots: make(chan struct{}, slots), lingering: make(chan struct{}, lingerers),
	}
	l.closing, l.close = context.WithCancel(context.Background())
	if creds == nil {
		l.TransportCredentials, l.plain = insecure.NewCredentials(), true
	}
	return l
}

// ServerHandshake implements credentials.TransportCredentials.
func (l *limiter) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if l.plain {
		c, err := l.greet(raw)
		return c, nil, err // as without credentials
	}
	secured, info, err := l.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		return secured, info, err
	}
	return newConn(secured, l), info, nil
}

// conn returns the connection of a call, or nil.
func (l *limiter) conn(ctx context.Context) *conn {
	if l == nil {
		return nil
	}
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil
	}
	known, _ := l.conns.Load(p.Addr)
	c, _ := known.(*conn)
	return c
}

const tooMuchHeld = "it holds the most of MaxHeldBytes"

// shed ends the connections that hold the most until the others hold an eighth less
// than the limit. Refusing the next call instead would let the first client lock out
// all others. shed does not wait: one goroutine at a time sheds for all.
func (l *limiter) shed() {
	if !l.shedding.TryLock() {
		return
	}
	defer l.shedding.Unlock()
	type holder struct {
		*conn
		size int64
	}
	var all []holder
	l.conns.Range(func(_, v any) bool {
		c := v.(*conn)
		all = append(all, holder{c, c.held.Load()})
		return true
	})
	slices.SortFunc(all, func(a, b holder) int { return cmp.Compare(b.size, a.size) })
	for _, most := range all {
		if l.held.Load() <= l.limits.held/8*7 {
			return
		}
		most.uncount()
		go most.end(tooMuchHeld) // returns soon
	}
}

const (
	// lingerTime is how long an ended connection lingers, and lingerBytes how much is
	// read from it meanwhile. At most lingerers connections linger at once.
	lingerTime  = 5 * time.Second
	lingerBytes = 1 << 20
	lingerers   = 1000
)

// linger closes a connection a little later, and reports whether it does. If a
// connection with unread data is closed at once, the client's system discards the
// GOAWAY that it has received. Lingering also slows down clients that reconnect in a
// loop.
func (l *limiter) linger(c net.Conn) bool {
	select {
	case l.lingering <- struct{}{}:
	default:
		return false
	}
	go func() { // ends after lingerTime, with the client, or with the limiter
		defer func() { <-l.lingering }()
		ctx, cancel := context.WithTimeout(l.closing, lingerTime)
		defer cancel()
		defer context.AfterFunc(ctx, func() { _ = c.Close() })()
		_ = c.SetDeadline(time.Time{})
		if n, _ := io.CopyN(io.Discard, c, lingerBytes); n == lingerBytes {
			<-ctx.Done()
		}
		_ = c.Close()
	}()
	return true
}

// report logs that a connection was ended: at most ten lines at once and one a second.
func (l *limiter) report(c *conn, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.logging.take(1, 1, 10) {
		l.logging.take(-1, 0, 0)
		l.unlogged++
		return
	}
	l.log.Warn("connection ended", "peer", c.addr.String(), "reason", why, "unlogged_before", l.unlogged)
	l.unlogged = 0
}

// bucket bounds a rate. It is full at first.
type bucket struct {
	spent float64
	at    time.Time
}

// take takes n out of a bucket that holds up to burst and gains rate a second, and
// reports whether the bucket held enough. A negative n is put back.
func (b *bucket) take(n, rate, burst float64) bool {
	now := time.Now()
	b.spent = max(0, b.spent-rate*now.Sub(b.at).Seconds()) + n
	b.at = now
	b.spent = max(0, b.spent)
	return b.spent <= burst
}
