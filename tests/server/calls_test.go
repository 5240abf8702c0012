package server

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestMetadata sends text and binary metadata, which the handler returns as initial
// and as trailing metadata, on success and on error.
func TestMetadata(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	binary := "\x00\xff\x80 any bytes"
	for path, want := range map[string]codes.Code{lab.Echo: codes.OK, lab.Fail: codes.InvalidArgument} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			ctx := metadata.AppendToOutgoingContext(rig.Context(t), "echo-a", "1", "echo-a", "2", "echo-b-bin", binary)
			var header, trailer metadata.MD
			_, err := rig.Invoke(ctx, s.Conn, path, nil, grpc.Header(&header), grpc.Trailer(&trailer))
			rig.WantCode(t, err, want)
			for what, md := range map[string]metadata.MD{"initial-": header, "trailing-": trailer} {
				if got := strings.Join(md.Get(what+"echo-a"), ","); got != "1,2" {
					t.Errorf("%secho-a: got %q", what, got)
				}
				if got := strings.Join(md.Get(what+"echo-b-bin"), ","); got != binary {
					t.Errorf("%secho-b-bin: got %q", what, got)
				}
			}
		})
	}
}

// TestErrorDetails checks that a status reaches the caller with its details.
func TestErrorDetails(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	_, err := rig.Invoke(rig.Context(t), s.Conn, lab.Fail, rig.Text(1, "details"))
	st := status.Convert(err)
	if st.Code() != codes.InvalidArgument || st.Message() != "two things are wrong" || len(st.Details()) != 2 {
		t.Fatalf("got %v with details %v", err, st.Details())
	}
	if bad, ok := st.Details()[0].(*errdetails.BadRequest); !ok || bad.GetFieldViolations()[0].GetDescription() != "too short" {
		t.Errorf("details: %v", st.Details())
	}
}

// TestHandlerFaults checks which errors of a failing handler reach the caller, and
// which only the log. The server must still work.
func TestHandlerFaults(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	for _, test := range []struct {
		path, mode string
		want       codes.Code
		message    string // exact
		logged     string
	}{
		{lab.Fail, "panic", codes.Internal, "internal error", "a secret panic"},
		{lab.Fail, "nil pointer", codes.Internal, "internal error", "nil pointer dereference"},
		{lab.Fail, "plain", codes.Internal, "internal error", "a secret error"},
		{lab.Fail, "nothing", codes.Internal, "internal error", "neither a response nor an error"},
		{lab.Fail, "invalid text", codes.Internal, "cannot encode the response: lab.Msg, field text", "UTF-8"},
		{lab.Fail, "canceled", codes.Canceled, "context canceled", ""},
		{lab.Fail, "deadline", codes.DeadlineExceeded, "context deadline exceeded", ""},
		{lab.Fail, "status", codes.FailedPrecondition, "not yet", ""},
		{lab.Raw, "nothing", codes.Internal, "the handler of lab.Lab/Raw sent no response", "sent no response"},
		{lab.Raw, "two", codes.Internal, "the handler of lab.Lab/Raw sent more than one response", "sent more than one response"},
		{lab.Raw, "two, errors ignored", codes.Internal, "the handler of lab.Lab/Raw sent more than one response", "sent more than one response"},
		{lab.Raw, "reply, then error", codes.Aborted, "changed my mind", ""},
		{lab.Raw, "one", codes.OK, "", ""},
		{"/lab.Lab/Nobody", "", codes.Unimplemented, "method lab.Lab/Nobody is in the schema, but no handler answers it", ""},
	} {
		t.Run(test.path+" "+test.mode, func(t *testing.T) {
			t.Parallel()
			_, err := rig.Invoke(rig.Context(t), s.Conn, test.path, rig.Text(1, test.mode))
			if st := status.Convert(err); st.Code() != test.want || st.Message() != test.message {
				t.Errorf("got %v, want %v %q", err, test.want, test.message)
			}
			if !strings.Contains(s.Log.String(), test.logged) {
				t.Errorf("the log does not tell %q", test.logged)
			}
			lab.Alive(t, s)
		})
	}
	t.Run("wrapped", func(t *testing.T) {
		t.Parallel()
		_, err := rig.Invoke(rig.Context(t), s.Conn, lab.Fail, rig.Text(1, "wrapped"))
		rig.WantCode(t, err, codes.NotFound)
		rig.WantText(t, err.Error(), "not here")
	})
}

// TestDeadlineAndCancel checks that the contexts of handlers end.
func TestDeadlineAndCancel(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	for name, test := range map[string]struct {
		ctx  func() (context.Context, context.CancelFunc)
		want codes.Code
	}{
		"deadline": {func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), 50*time.Millisecond)
		}, codes.DeadlineExceeded},
		"cancel": {func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			return ctx, cancel
		}, codes.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := test.ctx()
			defer cancel()
			_, err := rig.Invoke(ctx, s.Conn, lab.Raw, rig.Text(1, "sleep"))
			rig.WantCode(t, err, test.want)
			ctx, cancel = test.ctx()
			defer cancel()
			stream := rig.Open(ctx, t, s.Conn, lab.Hold).Send(rig.Text(1, "held")).Done()
			if got := rig.TextOf(stream.MustRecv(), 1); got != "held" {
				t.Errorf("got %q", got)
			}
			_, err = stream.Recv()
			rig.WantCode(t, err, test.want)
		})
	}
	// The handlers end with their contexts only, and rig.Local waits for Serve, which
	// waits for the handlers.
}

// TestDefaultDeadline checks --default-deadline.
func TestDefaultDeadline(t *testing.T) {
	t.Parallel()
	p := rig.Serve(t, "--default-deadline", "100ms", "--task-interval", "1h")
	// The context has no deadline: the default is for such calls only.
	stream := rig.Open(t.Context(), t, rig.Dial(t, p.Addr()), "/Contact/getTask").Send(nil).Done()
	tasks, err := stream.All()
	rig.WantCode(t, err, codes.DeadlineExceeded)
	if len(tasks) != 10 {
		t.Errorf("got %d tasks", len(tasks))
	}
}

// TestGzip checks that the answer to a compressed request is compressed.
func TestGzip(t *testing.T) {
	t.Parallel()
	s := lab.Start(t)
	sizes := new(wireSizes)
	conn := rig.Dial(t, s.Addr, grpc.WithStatsHandler(sizes))
	request := slices1MB()
	out, err := rig.Invoke(rig.Context(t), conn, lab.Echo, request, grpc.UseCompressor(gzip.Name))
	rig.Must(t, err)
	if !bytes.Equal(out, request) {
		t.Errorf("got %d bytes that are not those sent", len(out))
	}
	if sizes.out == 0 || sizes.out > len(request)/10 || sizes.in == 0 || sizes.in > len(request)/10 {
		t.Errorf("of %d bytes %d were sent and %d received: that is not compressed", len(request), sizes.out, sizes.in)
	}
}

func slices1MB() []byte { return rig.Text(1, strings.Repeat("dyngate ", 1<<17)) }

// wireSizes are the sizes of the last messages on the wire.
type wireSizes struct {
	stats.Handler
	in, out int
}

func (*wireSizes) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (*wireSizes) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (*wireSizes) HandleConn(context.Context, stats.ConnStats)                       {}

func (w *wireSizes) HandleRPC(_ context.Context, s stats.RPCStats) {
	switch s := s.(type) {
	case *stats.InPayload:
		w.in = s.CompressedLength
	case *stats.OutPayload:
		w.out = s.CompressedLength
	}
}

// TestMessageLimits checks the limits of requests and responses, also with gzip.
func TestMessageLimits(t *testing.T) {
	t.Parallel()
	s := lab.Start(t, func(c *dynserver.Config) { c.GRPC.MaxRecvBytes, c.GRPC.MaxSendBytes = 2000, 1000 })
	for name, test := range map[string]struct {
		size int
		want codes.Code
		opts []grpc.CallOption
	}{
		"small":            {900, codes.OK, nil},
		"answer too large": {1500, codes.ResourceExhausted, nil},
		"too large":        {2500, codes.ResourceExhausted, nil},
		"gzip bomb":        {3 << 20, codes.ResourceExhausted, []grpc.CallOption{grpc.UseCompressor(gzip.Name)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := rig.Invoke(rig.Context(t), s.Conn, lab.Echo, rig.Text(1, strings.Repeat("x", test.size)), test.opts...)
			rig.WantCode(t, err, test.want)
			lab.Alive(t, s)
		})
	}
	t.Run("default", func(t *testing.T) {
		t.Parallel()
		s := lab.Start(t)
		_, err := rig.Invoke(rig.Context(t), s.Conn, lab.Echo, rig.Text(1, strings.Repeat("x", 4<<20)))
		rig.WantCode(t, err, codes.ResourceExhausted)
	})
}
