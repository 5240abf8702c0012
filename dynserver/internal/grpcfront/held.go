package grpcfront

import (
	"context"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
)

// What is held is estimated: the bytes of headers and answers, and what grpc-go
// and the runtime need for each.
const (
	callCost   = 12 << 10 // a call in progress: stacks, the stream, a usual header list
	endedCost  = 3 << 10  // a call that has an answer: the stream, its trailers
	answerCost = 512      // an answer
	fieldCost  = 128      // a field of a header list

	// Header lists that take up to usualHeaders are part of callCost.
	usualHeaders = 4 << 10

	// So much more than --max-header-bytes can be received, for the call to be
	// refused; grpc-go closes the connection for more.
	largestHeader = 1 << 20
)

// tap is a tap.ServerInHandle: it is asked before there is a call. It refuses
// calls whose header list is too large, and counts a large one as held.
func (l *limiter) tap(ctx context.Context, info *tap.Info) (context.Context, error) {
	size, cost := len(info.FullMethodName), int64(0)
	for name, values := range info.Header {
		for _, v := range values {
			n := len(name) + len(v)
			size += n + 32 // RFC 9113, section 6.5.2
			cost += int64(n) + fieldCost
		}
	}
	if size > l.limits.header {
		return ctx, status.Errorf(codes.ResourceExhausted, "the metadata has %d bytes, the limit is %d", size, l.limits.header)
	}
	if cost <= usualHeaders {
		return ctx, nil
	}
	conn := l.conn(ctx)
	if err := conn.hold(cost); err != nil {
		return ctx, err
	}
	// Not every call gets to its handler, but every stream's context ends.
	context.AfterFunc(ctx, func() { conn.release(cost) })
	return ctx, nil
}

// unread is an answer that the transport has. It is the pool that the last buffer
// of the answer, an empty one, goes back to: so it learns when the answer has been
// written, or thrown away.
type unread struct {
	conn  *conn
	cost  int64
	empty []byte
	slice [2]mem.Buffer
}

var unreads = sync.Pool{New: func() any { return &unread{empty: emptyBuffer[:0]} }}

// emptyBuffer is never written. Its capacity makes grpc count the references to
// buffers of it.
var emptyBuffer = make([]byte, 4<<10)

// Get implements mem.BufferPool.
func (u *unread) Get(int) *[]byte { return new([]byte) }

// Put implements mem.BufferPool.
func (u *unread) Put(*[]byte) {
	u.conn.release(u.cost)
	u.conn, u.slice = nil, [2]mem.Buffer{}
	unreads.Put(u)
}

// answerCostOf returns what an answer costs while it is not read.
func answerCostOf(data mem.BufferSlice, first bool) int64 {
	cost := int64(answerCost)
	if first {
		cost += endedCost
	}
	for _, b := range data {
		cost += int64(cap(b.ReadOnlyData())) // what it takes in its pool
	}
	return cost
}

// releaseAfter returns an answer that releases its cost when its buffers are freed.
func (c *conn) releaseAfter(data mem.BufferSlice, cost int64) mem.BufferSlice {
	if c == nil {
		return data
	}
	u := unreads.Get().(*unread)
	u.conn, u.cost = c, cost
	last := mem.NewBuffer(&u.empty, u)
	if len(data) != 1 {
		return append(data[:len(data):len(data)], last)
	}
	u.slice = [2]mem.Buffer{data[0], last}
	return u.slice[:]
}
