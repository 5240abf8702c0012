package grpcfront

import (
	"context"
	"sync"
	"sync/atomic"

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

	// A header list that exceeds --max-header-bytes by up to this much is received, so
	// that only its call is refused. For more grpc-go closes the connection.
	largestHeader = 1 << 20
)

// tap is a tap.ServerInHandle, which grpc calls before the call begins. It refuses
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
	// Not every call reaches its handler, but the context of every stream ends.
	context.AfterFunc(ctx, func() { conn.release(cost) })
	return ctx, nil
}

// unread is the last buffer of an answer that the transport holds. grpc frees it when
// the answer has been written or discarded.
type unread struct {
	mem.Buffer // also for mem's own methods, which grpc's transport does not use
	refs       atomic.Int32
	conn       *conn
	cost       int64
	alone      [1]mem.Buffer
}

var unreads = sync.Pool{New: func() any { return new(unread) }}

// Ref implements mem.Buffer.
func (u *unread) Ref() { u.refs.Add(1) }

// Free implements mem.Buffer.
func (u *unread) Free() {
	if u.refs.Add(-1) > 0 {
		return
	}
	u.Buffer.Free()
	u.conn.release(u.cost)
	u.Buffer, u.conn, u.alone[0] = nil, nil, nil
	unreads.Put(u)
}

// answerCostOf returns how many bytes an unread answer holds.
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

// releaseAfter returns data, which then releases cost when its buffers are freed.
func (c *conn) releaseAfter(data mem.BufferSlice, cost int64) mem.BufferSlice {
	if c == nil {
		return data
	}
	u := unreads.Get().(*unread)
	u.refs.Store(1)
	u.conn, u.cost = c, cost
	n := len(data)
	switch n {
	case 0:
		u.Buffer = mem.SliceBuffer(nil)
	case 1:
		u.Buffer = data[0]
	default:
		u.Buffer = data[n-1]
		return append(data[:n-1:n-1], u)
	}
	u.alone[0] = u
	return u.alone[:]
}
