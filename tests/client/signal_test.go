package client

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// endless answers until the caller leaves.
type endless struct {
	testpb.UnimplementedTestServiceServer
	began, sent, ended atomic.Int32
}

func (s *endless) hold(ctx context.Context) error {
	s.began.Add(1)
	<-ctx.Done()
	s.ended.Add(1)
	return ctx.Err()
}

func (s *endless) EmptyCall(ctx context.Context, _ *testpb.Empty) (*testpb.Empty, error) {
	return nil, s.hold(ctx)
}

func (s *endless) StreamingInputCall(stream grpc.ClientStreamingServer[testpb.StreamingInputCallRequest, testpb.StreamingInputCallResponse]) error {
	return s.hold(stream.Context())
}

func (s *endless) FullDuplexCall(stream grpc.BidiStreamingServer[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse]) error {
	return s.hold(stream.Context())
}

// StreamingOutputCall answers as fast as it can.
func (s *endless) StreamingOutputCall(_ *testpb.StreamingOutputCallRequest, stream grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse]) error {
	s.began.Add(1)
	defer s.ended.Add(1)
	for {
		if err := stream.Send(&testpb.StreamingOutputCallResponse{Payload: &testpb.Payload{Body: make([]byte, 100)}}); err != nil {
			return err
		}
		s.sent.Add(1)
	}
}

// TestSignals interrupts and terminates calls: the status says by which
// signal, and the server sees the end.
func TestSignals(t *testing.T) {
	t.Parallel()
	for sig, want := range map[syscall.Signal]struct {
		status int
		says   string
	}{
		syscall.SIGINT:  {130, "stopped by signal: interrupt"},
		syscall.SIGTERM: {143, "stopped by signal: terminated"},
	} {
		for _, method := range []string{"EmptyCall", "StreamingInputCall", "FullDuplexCall", "StreamingOutputCall"} {
			t.Run(sig.String()+" "+method, func(t *testing.T) {
				t.Parallel()
				srv := new(endless)
				addr := rig.LocalGRPC(t, func(s *grpc.Server) { testpb.RegisterTestServiceServer(s, srv) })
				data := "-" // stays open
				if method == "EmptyCall" || method == "StreamingOutputCall" {
					data = "{}"
				}
				c := rig.Start(t, "call", addr, method, "--proto", interopProtos, "-d", data)
				rig.Eventually(t, "the call", func() bool { return srv.began.Load() == 1 })
				c.Signal(sig)
				r := c.Result()
				r.Want(t, want.status, r.Stdout, want.says)
				rig.Eventually(t, "the server to see the end", func() bool { return srv.ended.Load() == 1 })
			})
		}
		t.Run(sig.String()+" before the call", func(t *testing.T) {
			t.Parallel()
			asked := make(chan struct{}, 1)
			hangs := startMirror(t, &mirror{answer: func(ctx context.Context, _ *refv1.ServerReflectionRequest) (*refv1.ServerReflectionResponse, error) {
				asked <- struct{}{}
				<-ctx.Done()
				return nil, ctx.Err()
			}})
			for _, args := range [][]string{{"list", hangs}, {"call", hangs, "good.Good/Do"}} {
				c := rig.Start(t, args...)
				<-asked
				c.Signal(sig)
				c.Result().Want(t, want.status, "", want.says)
			}
		})
	}
}

// startUnread starts a call with so many answers that its standard output, the
// returned pipe, is full.
func startUnread(t *testing.T) (*rig.Process, *endless, *os.File) {
	t.Helper()
	srv := new(endless)
	addr := rig.LocalGRPC(t, func(s *grpc.Server) { testpb.RegisterTestServiceServer(s, srv) })
	r, w, err := os.Pipe()
	rig.Must(t, err)
	t.Cleanup(func() { _ = r.Close() })
	cmd := exec.Command(rig.Binary(t), "call", addr, "StreamingOutputCall", "--proto", interopProtos)
	cmd.Stdout = w
	p := rig.StartCommand(t, cmd)
	t.Cleanup(p.Kill)
	rig.Must(t, w.Close())
	last, same := int32(0), 0
	rig.Eventually(t, "all to be full", func() bool {
		now := srv.sent.Load()
		if same++; now != last || now == 0 {
			last, same = now, 0
		}
		return same == 100
	})
	return p, srv, r
}

// TestNobodyReads closes standard output while answers come, as
// `| head -1` does: the process ends, and with it the call.
func TestNobodyReads(t *testing.T) {
	t.Parallel()
	p, srv, out := startUnread(t)
	rig.Must(t, out.Close())
	if p.Wait() == nil {
		t.Error("it exits with status 0")
	}
	rig.Eventually(t, "the server to see the end", func() bool { return srv.ended.Load() == 1 })
}

// TestUnread interrupts a call whose answers nobody reads.
func TestUnread(t *testing.T) {
	t.Parallel()
	p, srv, _ := startUnread(t)
	p.Signal(os.Interrupt)
	_ = p.Wait()
	if got := p.Cmd.ProcessState.ExitCode(); got != 130 {
		t.Errorf("status %d", got)
	}
	rig.Eventually(t, "the server to see the end", func() bool { return srv.ended.Load() == 1 })
}

// sated answers without reading the requests.
type sated struct {
	testpb.UnimplementedTestServiceServer
}

func (sated) StreamingInputCall(stream grpc.ClientStreamingServer[testpb.StreamingInputCallRequest, testpb.StreamingInputCallResponse]) error {
	return stream.SendAndClose(&testpb.StreamingInputCallResponse{AggregatedPayloadSize: 7})
}

func (sated) FullDuplexCall(stream grpc.BidiStreamingServer[testpb.StreamingOutputCallRequest, testpb.StreamingOutputCallResponse]) error {
	return stream.Send(new(testpb.StreamingOutputCallResponse))
}

// TestSated calls a server that ends the call with OK while standard input is
// open, and while a large file is sent.
func TestSated(t *testing.T) {
	t.Parallel()
	addr := rig.LocalGRPC(t, func(s *grpc.Server) { testpb.RegisterTestServiceServer(s, sated{}) })
	many := filepath.Join(t.TempDir(), "many.json")
	rig.Write(t, many, strings.Repeat(`{"payload": {"body": "`+base64Of(strings.Repeat("x", 3000))+`"}}`, 1000))
	for method, want := range map[string]string{"StreamingInputCall": `{"aggregatedPayloadSize":7}` + "\n", "FullDuplexCall": "{}\n"} {
		rig.Start(t, "call", addr, method, "--proto", interopProtos, "-o", "ndjson", "-d", "-").Result().Want(t, 0, want)
		callInterop(t, addr, method, "-d", "@"+many).Want(t, 0, want)
	}
}
