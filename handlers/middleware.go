package handlers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/internal/logattr"
)

// Guard turns all errors and panics of a handler into statuses: a panic is
// logged with its stack and becomes INTERNAL; context errors become their
// codes; any other error without a code is logged and becomes INTERNAL. The
// text of a panic, of such an error, and around a wrapped status does not reach
// the caller. A server wraps every handler in Guard, so that middleware sees
// only statuses.
func Guard(log *slog.Logger) Middleware {
	return func(next Handler) Handler {
		return HandlerFunc(func(ctx context.Context, call Call) (err error) {
			defer func() {
				if p := recover(); p != nil {
					log.ErrorContext(ctx, "handler panicked", "method", call.Method().Path(),
						"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
					err = errInternal
				}
			}()
			if err := next.ServeRPC(ctx, call); err != nil {
				return toStatus(ctx, err, call.Method(), log)
			}
			return nil
		})
	}
}

var errInternal = status.Error(codes.Internal, "internal error")

// toStatus returns err as a status. The text around a wrapped status or context
// error is dropped: it may contain secrets, such as a URL with a token.
func toStatus(ctx context.Context, err error, m *Method, log *slog.Logger) error {
	var coded interface{ GRPCStatus() *status.Status }
	if errors.As(err, &coded) && coded.GRPCStatus() != nil {
		return coded.GRPCStatus().Err()
	}
	var response *responseError
	if errors.As(err, &response) {
		log.ErrorContext(ctx, "handler failed", "method", m.Path(), "error", err)
		return status.Error(codes.Internal, response.forCaller())
	}
	for _, ended := range []error{context.DeadlineExceeded, context.Canceled} {
		if errors.Is(err, ended) {
			log.DebugContext(ctx, "handler gave up", "method", m.Path(), "error", err)
			return status.FromContextError(ended).Err()
		}
	}
	log.ErrorContext(ctx, "handler failed", "method", m.Path(), "error", err)
	return errInternal
}

// AccessLog logs one line for each call when it ends: its method, code, peer,
// duration, and the number of messages and bytes in each direction. Successful
// calls are logged at level Info; sample is the part of them that is logged (1
// for all, 0 for none). Failed calls are always logged, at level Warn.
func AccessLog(log *slog.Logger, sample float64) Middleware {
	return func(next Handler) Handler {
		return HandlerFunc(func(ctx context.Context, call Call) error {
			start := time.Now()
			counted := &countedCall{Call: call}
			err := next.ServeRPC(ctx, counted)
			level := slog.LevelInfo
			if err != nil {
				level = slog.LevelWarn
			} else if sample < 1 && rand.Float64() >= sample { //nolint:gosec // need not be secret
				return nil
			}
			log.LogAttrs(ctx, level, "call", counted.attrs(err, time.Since(start))...)
			return err
		})
	}
}

// flow counts the messages and bytes of one direction. A handler's goroutine may still be receiving
// when the handler has returned.
type flow struct{ messages, bytes atomic.Int64 }

func (f *flow) add(size int) {
	f.messages.Add(1)
	f.bytes.Add(int64(size))
}

type countedCall struct {
	Call
	in, out flow
}

func (c *countedCall) Recv() (mem.BufferSlice, error) {
	data, err := c.Call.Recv()
	if err == nil {
		c.in.add(data.Len())
	}
	return data, err
}

func (c *countedCall) Send(data mem.BufferSlice) error {
	size := data.Len()
	err := c.Call.Send(data)
	if err == nil {
		c.out.add(size)
	}
	return err
}

func (c *countedCall) attrs(err error, took time.Duration) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("method", c.Method().Path()),
		slog.String("code", status.Code(err).String()),
		logattr.Milliseconds("took", took),
		slog.Int64("in", c.in.messages.Load()), slog.Int64("in_bytes", c.in.bytes.Load()),
		slog.Int64("out", c.out.messages.Load()), slog.Int64("out_bytes", c.out.bytes.Load()),
	}
	if from := c.Peer(); from.Addr != nil {
		attrs = append(attrs, slog.String("peer", from.Addr.String()))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	return attrs
}
