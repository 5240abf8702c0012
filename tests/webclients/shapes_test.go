package webclients

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

type text struct{ Text string }

type number struct{ Number int32 }

// shapes is a server of web.Shapes that notes its calls.
type shapes struct {
	*rig.Server
	mu    sync.Mutex
	calls []string
}

func startShapes(t *testing.T, changes ...func(*dynserver.Config)) *shapes {
	t.Helper()
	proto, err := os.ReadFile("testdata/web.proto")
	rig.Must(t, err)
	s := new(shapes)
	config := rig.Config(t, string(proto), func(reg *handlers.Registry) {
		reg.Handle("web.Shapes/Say", handlers.Unary(say))
		reg.Handle("web.Shapes/Count", handlers.ServerStream(count))
		reg.Handle("web.Shapes/Join", handlers.ClientStream(join))
		reg.Handle("web.Shapes/Chat", handlers.Bidi(chat))
		reg.Handle("web.Shapes/Fail", handlers.Unary(fail))
	})
	config.Middleware = []handlers.Middleware{s.note}
	config.HTTP.REST.RequestHeaders = []string{"x-client"}
	for _, change := range changes {
		change(&config)
	}
	s.Server = rig.Local(t, config)
	return s
}

// note is a middleware that notes each call of Shapes when it ends: its protocol and
// method, the numbers of its requests and responses, its code, and the client's
// header X-Client.
func (s *shapes) note(next handlers.Handler) handlers.Handler {
	return handlers.HandlerFunc(func(ctx context.Context, call handlers.Call) error {
		counted := &counter{Call: call}
		err := next.ServeRPC(handlers.NewContext(ctx, counted), counted)
		method, ours := strings.CutPrefix(call.Method().Path(), "web.Shapes/")
		if ours {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.calls = append(s.calls, fmt.Sprintf("%s %s %d>%d %v %s", call.Peer().Protocol, method,
				counted.in, counted.out, status.Code(err), strings.Join(call.Header().Get("x-client"), ",")))
		}
		return err
	})
}

// counter counts messages.
type counter struct {
	handlers.Call
	in, out int
}

func (c *counter) Recv() (mem.BufferSlice, error) {
	msg, err := c.Call.Recv()
	if err == nil {
		c.in++
	}
	return msg, err
}

func (c *counter) Send(msg mem.BufferSlice) error {
	c.out++
	return c.Call.Send(msg)
}

// noted waits until as many calls have ended, and returns and forgets them, sorted.
func (s *shapes) noted(t *testing.T, n int) []string {
	t.Helper()
	var calls []string
	rig.Eventually(t, "the ends of calls", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.calls) < n {
			return false
		}
		calls, s.calls = s.calls, nil
		return true
	})
	slices.Sort(calls)
	return calls
}

// descriptors writes the server's schema to a file, as a descriptor set.
func (s *shapes) descriptors(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "web.binpb")
	out, err := rig.Command(t, "describe", s.Addr, "--descriptors-out", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return file
}

func say(ctx context.Context, in *text) (*text, error) {
	call := handlers.CallFrom(ctx)
	call.SetTrailer(metadata.Pairs("x-after", "done"))
	return &text{"Hello, " + in.Text + "!"}, call.SetHeader(metadata.Pairs("x-answer", "yes"))
}

func count(_ context.Context, in *number) iter.Seq2[*text, error] {
	return func(yield func(*text, error) bool) {
		for i := range in.Number {
			if i == 5 {
				yield(nil, status.Error(codes.OutOfRange, "only 5"))
				return
			}
			if !yield(&text{fmt.Sprint(i + 1)}, nil) {
				return
			}
		}
	}
}

func join(_ context.Context, in iter.Seq2[*text, error]) (*text, error) {
	var all []string
	for m, err := range in {
		if err != nil {
			return nil, err
		}
		all = append(all, m.Text)
	}
	return &text{strings.Join(all, "+")}, nil
}

func chat(_ context.Context, in iter.Seq2[*text, error]) iter.Seq2[*text, error] {
	return func(yield func(*text, error) bool) {
		for m, err := range in {
			if err == nil {
				m = &text{"re: " + m.Text}
			}
			if !yield(m, err) {
				return
			}
		}
	}
}

func fail(_ context.Context, in *text) (*text, error) {
	st, err := status.New(codes.NotFound, "no "+in.Text).WithDetails(&errdetails.BadRequest{
		FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "text", Description: "unknown"}},
	})
	if err != nil {
		return nil, err
	}
	return nil, st.Err()
}
