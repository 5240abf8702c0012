package grpcfront

import (
	"compress/gzip"
	"context"
	"io"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
)

// packed is the server's decompressor. It passes gzip data through: calls inflate
// their messages themselves, since they know their connection and context. It
// remembers which messages it has passed, because a message of a compressed call need
// not be compressed.
type packed struct{ seen sync.Map } // the address of a message's first byte

// Type implements grpc.Decompressor.
func (*packed) Type() string { return "gzip" }

// Do implements grpc.Decompressor.
func (p *packed) Do(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	p.seen.Store(&data[0], nil)
	return data, nil
}

// take reports whether Do has passed this message, and forgets it.
func (p *packed) take(data mem.BufferSlice) bool {
	if len(data) != 1 || data[0].Len() == 0 {
		return false
	}
	_, seen := p.seen.LoadAndDelete(&data[0].ReadOnlyData()[0])
	return seen
}

const (
	// A message that grows beyond largeMessage waits for its turn.
	largeMessage = 64 << 10

	// A message may grow to so many times its size free of charge.
	freeInflation = 50
)

var inflaters sync.Pool // of *gzip.Reader

// inflate returns the content of a compressed message, which it frees.
func (c *conn) inflate(ctx context.Context, message mem.BufferSlice, limit int) (mem.BufferSlice, error) {
	defer message.Free()
	free := freeInflation * message.Len()
	var out mem.BufferSlice
	var err error
	small := !c.inflatesLarge()
	if small {
		out, err = c.inflateTo(ctx, message, min(limit, largeMessage), free)
		small = err != nil || out.Len() <= largeMessage || c == nil
	}
	if !small {
		// It begins again when its turn comes, and holds nothing meanwhile.
		out.Free()
		done, waitErr := c.awaitTurn(ctx)
		if waitErr != nil {
			return nil, status.FromContextError(waitErr).Err()
		}
		defer done()
		out, err = c.inflateTo(ctx, message, limit, free)
	}
	if err == nil && out.Len() > limit {
		err = status.Errorf(codes.ResourceExhausted, "the message has more than %d bytes after decompression", limit)
	}
	if err == nil {
		return out, nil
	}
	out.Free()
	if _, ok := status.FromError(err); !ok {
		err = status.Errorf(codes.Internal, "the message cannot be decompressed: %v", err)
	}
	return nil, err
}

// inflateTo inflates a message, but at most one byte more than the limit.
func (c *conn) inflateTo(ctx context.Context, message mem.BufferSlice, limit, free int) (mem.BufferSlice, error) {
	compressed := message.Reader()
	defer func() { _ = compressed.Close() }()
	z, _ := inflaters.Get().(*gzip.Reader)
	if z == nil {
		z = new(gzip.Reader)
	}
	defer inflaters.Put(z)
	if err := z.Reset(compressed); err != nil {
		return nil, err
	}
	in := &inflation{Reader: z, ctx: ctx, conn: c, free: free}
	return mem.ReadAll(io.LimitReader(in, int64(limit)+1), mem.DefaultBufferPool())
}

// inflation reads a message while it is inflated.
type inflation struct {
	*gzip.Reader
	ctx  context.Context //nolint:containedctx // as long as the message is read
	conn *conn           // nil if it is not known
	free int
}

// Read implements io.Reader.
func (i *inflation) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, status.FromContextError(err).Err()
	}
	n, err := i.Reader.Read(p)
	if i.free -= n; i.free < 0 {
		if !i.conn.spendInflation(-i.free) {
			return n, errEnded
		}
		i.free = 0
	}
	return n, err
}

// awaitTurn waits until a large message may be inflated: one at a time for each
// connection, and in total so few that some CPUs are left to other calls.
func (c *conn) awaitTurn(ctx context.Context) (done func(), err error) {
	c.large.Add(1)
	select {
	case c.inflating <- struct{}{}:
	case <-ctx.Done():
		c.large.Add(-1)
		return nil, ctx.Err()
	}
	select {
	case c.limiter.slots <- struct{}{}:
		return func() {
			<-c.limiter.slots
			<-c.inflating
			c.large.Add(-1)
		}, nil
	case <-ctx.Done():
		<-c.inflating
		c.large.Add(-1)
		return nil, ctx.Err()
	}
}

// inflatesLarge reports whether large messages are inflated or wait. Other messages
// wait then as well: they are likely to be large, and inflating them to find out
// would cost time.
func (c *conn) inflatesLarge() bool { return c != nil && c.large.Load() > 0 }

// spendInflation ends the connection if its messages grow too much, and reports
// whether it may go on.
func (c *conn) spendInflation(n int) bool {
	if c == nil {
		return true
	}
	l := c.limiter.limits
	c.mu.Lock()
	ok := c.inflated.take(float64(n), l.inflation/60, max(l.inflation, 3*float64(l.recv)))
	c.mu.Unlock()
	if !ok {
		c.end("its messages grow faster than MaxInflation allows")
	}
	return ok
}
