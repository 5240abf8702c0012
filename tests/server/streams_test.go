package server

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

const streamsProto = `syntax = "proto3";
package streams;
service Streams {
  rpc First(stream M) returns (M);
  rpc Push(stream M) returns (stream M);
  rpc Both(stream M) returns (stream M);
  rpc Flood(M) returns (stream M);
}
message M { string text = 1; }
`

type textMsg struct{ Text string }

// TestStreams checks streams on which the sides do not take turns.
func TestStreams(t *testing.T) {
	t.Parallel()
	left := make(chan struct{})
	s := rig.Local(t, rig.Config(t, streamsProto, func(reg *handlers.Registry) {
		reg.Handle("streams.Streams/First", handlers.ClientStream(answersFirst))
		reg.Handle("streams.Streams/Push", handlers.Bidi(pushesFirst))
		reg.Handle("streams.Streams/Both", handlers.Bidi(sendsAndReceives))
		reg.Handle("streams.Streams/Flood", handlers.ServerStream(floods(left)))
	}))
	t.Run("an answer before the requests have ended", func(t *testing.T) {
		t.Parallel()
		stream := rig.Open(rig.Context(t), t, s.Conn, "/streams.Streams/First").Send(rig.Text(1, "a"))
		if got, err := stream.All(); err != nil || len(got) != 1 || rig.TextOf(got[0], 1) != "first: a" {
			t.Errorf("got %x, %v", got, err)
		}
	})
	t.Run("a response before any request", func(t *testing.T) {
		t.Parallel()
		stream := rig.Open(rig.Context(t), t, s.Conn, "/streams.Streams/Push")
		if got := rig.TextOf(stream.MustRecv(), 1); got != "welcome" {
			t.Errorf("got %q", got)
		}
		if got, err := stream.Done().All(); err != nil || len(got) != 1 || rig.TextOf(got[0], 1) != "goodbye" {
			t.Errorf("after half-closing: %x, %v", got, err)
		}
	})
	t.Run("both at once", func(t *testing.T) {
		t.Parallel()
		stream := rig.Open(rig.Context(t), t, s.Conn, "/streams.Streams/Both")
		for i := range 100 {
			stream.Send(rig.Text(1, strconv.Itoa(i)))
		}
		got, err := stream.Done().All()
		if err != nil || len(got) != 101 || rig.TextOf(got[100], 1) != "received 100" {
			t.Errorf("got %d, %v", len(got), err)
		}
	})
	t.Run("a caller that does not read, and leaves", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(rig.Context(t))
		stream := rig.Open(ctx, t, s.Conn, "/streams.Streams/Flood").Send(rig.Text(1, "x")).Done()
		stream.MustRecv()
		_, err := rig.Open(rig.Context(t), t, s.Conn, "/streams.Streams/First").Send(nil).All()
		rig.Must(t, err) // flow control holds back one stream only
		cancel()
		select {
		case <-left:
		case <-rig.Context(t).Done():
			t.Error("the handler does not learn that its caller has left")
		}
	})
}

func answersFirst(_ context.Context, in iter.Seq2[*textMsg, error]) (*textMsg, error) {
	for m, err := range in {
		if err != nil {
			return nil, err
		}
		return &textMsg{"first: " + m.Text}, nil
	}
	return nil, status.Error(codes.InvalidArgument, "nothing came")
}

func pushesFirst(_ context.Context, in iter.Seq2[*textMsg, error]) iter.Seq2[*textMsg, error] {
	return func(yield func(*textMsg, error) bool) {
		if !yield(&textMsg{"welcome"}, nil) {
			return
		}
		for _, err := range in {
			if err != nil {
				yield(nil, err)
				return
			}
		}
		yield(&textMsg{"goodbye"}, nil)
	}
}

// sendsAndReceives receives in a goroutine of its own.
func sendsAndReceives(_ context.Context, in iter.Seq2[*textMsg, error]) iter.Seq2[*textMsg, error] {
	return func(yield func(*textMsg, error) bool) {
		received := make(chan int)
		go func() { // ends with the requests
			n := 0
			for _, err := range in {
				if err == nil {
					n++
				}
			}
			received <- n
		}()
		for i := range 100 {
			yield(&textMsg{strconv.Itoa(i)}, nil)
		}
		yield(&textMsg{fmt.Sprintf("received %d", <-received)}, nil)
	}
}

func floods(left chan<- struct{}) func(context.Context, *textMsg) iter.Seq2[*textMsg, error] {
	return func(ctx context.Context, _ *textMsg) iter.Seq2[*textMsg, error] {
		return func(yield func(*textMsg, error) bool) {
			defer close(left)
			large := &textMsg{strings.Repeat("x", 10_000)}
			for ctx.Err() == nil && yield(large, nil) {
			}
		}
	}
}

// TestConcurrency calls, reloads, registers and shuts down at once.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	config := rig.Config(t, lab.Proto, lab.Register)
	s := rig.Local(t, config)
	calls := rig.StartLoad(t, s.Conn, lab.Echo, rig.Text(1, "x"), func(out []byte) bool { return rig.TextOf(out, 1) == "x" })
	var reloads sync.WaitGroup
	for i := range 4 {
		reloads.Go(func() {
			for j := 0; calls.Calls() < 300; j++ {
				config.Handlers.Handle(fmt.Sprintf("later%d.Later%d", i, j), handlers.Unary(lab.HandleEcho))
				if _, err := s.Reload(t.Context()); err != nil {
					t.Error(err)
				}
				_ = s.Services()
			}
		})
	}
	reloads.Wait()
	calls.End(t)
	var stops sync.WaitGroup
	for range 4 {
		stops.Go(func() { rig.Must(t, s.Shutdown(t.Context())) })
	}
	stops.Wait()
}

// TestRegisterLater registers a handler with a running server: the next reload binds
// it.
func TestRegisterLater(t *testing.T) {
	t.Parallel()
	config := rig.Config(t, lab.Proto, lab.Register)
	s := rig.Local(t, config)
	_, err := rig.Invoke(rig.Context(t), s.Conn, "/lab.Lab/Nobody", nil)
	rig.WantCode(t, err, codes.Unimplemented)
	config.Handlers.Handle("lab.Lab/Nobody", handlers.Unary(lab.HandleEcho))
	report, err := s.Reload(t.Context())
	if err != nil || !report.Applied {
		t.Errorf("%+v, %v", report, err)
	}
	_, err = rig.Invoke(rig.Context(t), s.Conn, "/lab.Lab/Nobody", nil)
	rig.WantCode(t, err, codes.OK)
}
