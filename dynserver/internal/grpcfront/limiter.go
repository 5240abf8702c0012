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

// limiter keeps what one connection does from hurting the others. grpc-go bounds
// what a connection may do at once, but not what it does over time, nor what all
// connections hold together. As the server's credentials the limiter wraps every
// connection inside TLS, where frames can be counted.
type limiter struct {
	credentials.TransportCredentials
	plain  bool // without TLS
	limits limits
	log    *slog.Logger

	held  atomic.Int64  // by all connections
	count atomic.Int64  // of conns
	conns sync.Map      // net.Addr of the peer, unique as a pointer: *conn
	slots chan struct{} // taken while a large message is inflated

	closing   context.Context //nolint:containedctx // ends when nothing may linger any more
	close     context.CancelFunc
	lingering chan struct{} // taken while an ended connection lingers

	shedding sync.Mutex

	mu      sync.Mutex // guards what follows
	logging bucket
	unsaid  int // ended connections that were not logged
}

// limits are the settings that the limiter keeps.
type limits struct {
	held      int64   // bytes, of all connections
	resets    float64 // a second, of a connection
	inflation float64 // bytes a minute, of a connection
	recv      int     // bytes of a message
	header    int     // bytes of a header list
}

const (
	resetSeconds = 5    // so many seconds' worth of resets may come at once
	maxCredit    = 1000 // so many resets may be paid for by calls that were answered before
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
		return newConn(raw, l), nil, nil // as without credentials
	}
	secured, info, err := l.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		return secured, info, err
	}
	return newConn(secured, l), info, nil
}

// conn returns the connection that a call came by, or nil.
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

// shed ends connections until the others hold an eighth less than the limit. It
// ends those that hold the most: a limit that refused the next call instead would
// let whoever came first lock out everybody else. It does not wait: one goroutine
// at a time sheds for all.
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
		most.disown()
		go most.end(tooMuchHeld) // returns soon
	}
}

const (
	// lingerTime is how long an ended connection lingers, and lingerBytes what is
	// read of it meanwhile. At most lingerers do so at once.
	lingerTime  = 5 * time.Second
	lingerBytes = 1 << 20
	lingerers   = 1000
)

// linger closes a connection a little later, and reports whether it does. Closed
// at once, with unread data, it would make the client's system throw away the
// GOAWAY that it has received; and who connects again in a loop gets on slowly.
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

// report logs that a connection was ended: ten lines at once, and one a second.
func (l *limiter) report(c *conn, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.logging.take(1, 1, 10) {
		l.logging.take(-1, 0, 0)
		l.unsaid++
		return
	}
	l.log.Warn("connection ended", "peer", c.addr.String(), "reason", why, "unlogged_before", l.unsaid)
	l.unsaid = 0
}

// bucket bounds a rate. It is full at first.
type bucket struct {
	spent float64
	at    time.Time
}

// take takes n out of a bucket that holds up to burst and gains rate a second,
// and reports whether there was enough. A negative n is put back.
func (b *bucket) take(n, rate, burst float64) bool {
	now := time.Now()
	b.spent = max(0, b.spent-rate*now.Sub(b.at).Seconds()) + n
	b.at = now
	b.spent = max(0, b.spent)
	return b.spent <= burst
}
