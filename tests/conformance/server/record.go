package main

import (
	"bytes"
	"context"
	"sync"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/dyngate/dyngate/handlers"
)

// record is middleware that keeps the requests of a call, because responses say what
// has been received.
func record(next handlers.Handler) handlers.Handler {
	return handlers.HandlerFunc(func(ctx context.Context, call handlers.Call) error {
		r := &recorder{Call: call}
		return next.ServeRPC(context.WithValue(ctx, recorderKey{}, r), r)
	})
}

type recorderKey struct{}

type recorder struct {
	handlers.Call

	mu       sync.Mutex
	requests []*anypb.Any
}

func (r *recorder) Recv() (mem.BufferSlice, error) {
	data, err := r.Call.Recv()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, &anypb.Any{
		TypeUrl: "type.googleapis.com/" + string(r.Method().Input().FullName()),
		Value:   bytes.Clone(data.Materialize()),
	})
	return data, nil
}

// received returns the requests of a call that it has not returned before.
func received(ctx context.Context) []*anypb.Any {
	r := ctx.Value(recorderKey{}).(*recorder) //nolint:forcetypeassert // record put it there
	r.mu.Lock()
	defer r.mu.Unlock()
	requests := r.requests
	r.requests = nil
	return requests
}
