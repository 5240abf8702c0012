package examples

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// The messages of protos/contact/contact.proto. A message without fields is
// struct{}.
type (
	clientMsg struct{ Msg string }
	serverMsg struct{ Task string }
	result    struct{ Ret string }
)

type contact struct{ interval time.Duration }

// sendStatus answers each message before it reads the next.
func (contact) sendStatus(_ context.Context, in iter.Seq2[*clientMsg, error]) iter.Seq2[*result, error] {
	return func(yield func(*result, error) bool) {
		for msg, err := range in {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(&result{Ret: `got "` + msg.Msg + `"`}, nil) {
				return
			}
		}
	}
}

// getTask pushes tasks until the client disconnects.
func (c contact) getTask(ctx context.Context, _ *struct{}) iter.Seq2[*serverMsg, error] {
	return func(yield func(*serverMsg, error) bool) {
		ticker := time.NewTicker(c.interval)
		defer ticker.Stop()
		for n := 1; ; n++ {
			if !yield(&serverMsg{Task: fmt.Sprintf("task %d", n)}, nil) {
				return
			}
			if n%10 != 0 {
				continue
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
		}
	}
}

// tellResult reads to the end and responds once.
func (contact) tellResult(_ context.Context, in iter.Seq2[*result, error]) (*struct{}, error) {
	for _, err := range in {
		if err != nil {
			return nil, err
		}
	}
	return &struct{}{}, nil
}
