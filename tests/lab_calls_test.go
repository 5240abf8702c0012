package tests

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
)

// TestMetadata sends metadata, also binary, and gets it back as initial and as
// trailing metadata, on success and on error.
func TestMetadata(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	binary := "\x00\xff\x80 any bytes"
	for path, want := range map[string]codes.Code{labEcho: codes.OK, labFail: codes.InvalidArgument} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			ctx := metadata.AppendToOutgoingContext(timeout(t), "echo-a", "1", "echo-a", "2", "echo-b-bin", binary)
			var header, trailer metadata.MD
			_, err := invoke(ctx, s.conn, path, nil, grpc.Header(&header), grpc.Trailer(&trailer))
			wantCode(t, err, want)
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

// TestErrorDetails checks that a status reaches the caller as it was made.
func TestErrorDetails(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	_, err := invoke(timeout(t), s.conn, labFail, text(1, "details"))
	st := status.Convert(err)
	if st.Code() != codes.InvalidArgument || st.Message() != "two things are wrong" || len(st.Details()) != 2 {
		t.Fatalf("got %v with details %v", err, st.Details())
	}
	if bad, ok := st.Details()[0].(*errdetails.BadRequest); !ok || bad.GetFieldViolations()[0].GetDescription() != "too short" {
		t.Errorf("details: %v", st.Details())
	}
}

// TestHandlerFaults checks what a caller is told, and is not, about a handler
// that fails, and that the server does not mind.
func TestHandlerFaults(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	for _, test := range []struct {
		path, mode string
		want       codes.Code
		message    string // exact
		logged     string
	}{
		{labFail, "panic", codes.Internal, "internal error", "a secret panic"},
		{labFail, "nil pointer", codes.Internal, "internal error", "nil pointer dereference"},
		{labFail, "plain", codes.Internal, "internal error", "a secret error"},
		{labFail, "nothing", codes.Internal, "internal error", "neither a response nor an error"},
		{labFail, "invalid text", codes.Internal, "cannot encode the response: lab.Msg, field text", "UTF-8"},
		{labFail, "canceled", codes.Canceled, "context canceled", ""},
		{labFail, "deadline", codes.DeadlineExceeded, "context deadline exceeded", ""},
		{labFail, "status", codes.FailedPrecondition, "not yet", ""},
		{labRaw, "nothing", codes.Internal, "the handler of lab.Lab/Raw sent no response", "sent no response"},
		{labRaw, "two", codes.Internal, "the handler of lab.Lab/Raw sent more than one response", "sent more than one response"},
		{labRaw, "two, errors ignored", codes.Internal, "the handler of lab.Lab/Raw sent more than one response", "sent more than one response"},
		{labRaw, "reply, then error", codes.Aborted, "changed my mind", ""},
		{labRaw, "one", codes.OK, "", ""},
		{"/lab.Lab/Nobody", "", codes.Unimplemented, "method lab.Lab/Nobody is in the schema, but no handler answers it", ""},
	} {
		t.Run(test.path+" "+test.mode, func(t *testing.T) {
			t.Parallel()
			_, err := invoke(timeout(t), s.conn, test.path, text(1, test.mode))
			if st := status.Convert(err); st.Code() != test.want || st.Message() != test.message {
				t.Errorf("got %v, want %v %q", err, test.want, test.message)
			}
			if !strings.Contains(s.log.String(), test.logged) {
				t.Errorf("the log does not tell %q", test.logged)
			}
			s.alive(t)
		})
	}
	t.Run("wrapped", func(t *testing.T) {
		t.Parallel()
		_, err := invoke(timeout(t), s.conn, labFail, text(1, "wrapped"))
		wantCode(t, err, codes.NotFound)
		contains(t, err.Error(), "not here")
	})
}

// alive makes a call that must succeed.
func (s *local) alive(t testing.TB) {
	t.Helper()
	out, err := invoke(timeout(t), s.conn, labEcho, text(1, "still there?"))
	if err != nil || textOf(out, 1) != "still there?" {
		t.Errorf("the server does not answer any more: %q, %v", out, err)
	}
}

// TestDeadlineAndCancel checks that handlers learn that nobody waits for them.
func TestDeadlineAndCancel(t *testing.T) {
	t.Parallel()
	s := startLab(t)
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
			_, err := invoke(ctx, s.conn, labRaw, text(1, "sleep"))
			wantCode(t, err, test.want)
			ctx, cancel = test.ctx()
			defer cancel()
			stream := open(ctx, t, s.conn, labHold).send(text(1, "held")).done()
			if got := textOf(stream.mustRecv(), 1); got != "held" {
				t.Errorf("got %q", got)
			}
			_, err = stream.recv()
			wantCode(t, err, test.want)
		})
	}
	// Serve returns only after the handlers have: startLocal waits for that,
	// and the handlers above end only with their contexts.
}

// TestDefaultDeadline checks --default-deadline.
func TestDefaultDeadline(t *testing.T) {
	t.Parallel()
	p := serve(t, "--default-deadline", "100ms", "--task-interval", "1h")
	// The context has no deadline: the server gives one to calls without only.
	stream := open(t.Context(), t, dial(t, p.addr()), "/Contact/getTask").send(nil).done()
	tasks, err := stream.all()
	wantCode(t, err, codes.DeadlineExceeded)
	if len(tasks) != 10 {
		t.Errorf("got %d tasks", len(tasks))
	}
}

// TestGzip compresses both ways: an answer to a compressed request is
// compressed as well.
func TestGzip(t *testing.T) {
	t.Parallel()
	s := startLab(t)
	sizes := new(wireSizes)
	conn := dial(t, s.addr, grpc.WithStatsHandler(sizes))
	request := slices1MB()
	out, err := invoke(timeout(t), conn, labEcho, request, grpc.UseCompressor(gzip.Name))
	must(t, err)
	if !bytes.Equal(out, request) {
		t.Errorf("got %d bytes that are not those sent", len(out))
	}
	if sizes.out == 0 || sizes.out > len(request)/10 || sizes.in == 0 || sizes.in > len(request)/10 {
		t.Errorf("of %d bytes %d were sent and %d received: that is not compressed", len(request), sizes.out, sizes.in)
	}
}

func slices1MB() []byte { return text(1, strings.Repeat("dyngate ", 1<<17)) }

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

// TestMessageLimits checks both limits, and that gzip does not get around them.
func TestMessageLimits(t *testing.T) {
	t.Parallel()
	s := startLab(t, func(c *dynserver.Config) { c.GRPC.MaxRecvBytes, c.GRPC.MaxSendBytes = 2000, 1000 })
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
			_, err := invoke(timeout(t), s.conn, labEcho, text(1, strings.Repeat("x", test.size)), test.opts...)
			wantCode(t, err, test.want)
			s.alive(t)
		})
	}
	t.Run("default", func(t *testing.T) {
		t.Parallel()
		s := startLab(t)
		_, err := invoke(timeout(t), s.conn, labEcho, text(1, strings.Repeat("x", 4<<20)))
		wantCode(t, err, codes.ResourceExhausted)
	})
}
