package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jhump/protoreflect/grpcreflect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	sayHello     = "/Greeter/SayHello"
	countLetters = "/compute.Compute/SayHello"
)

// load is a client that calls the same method about 2,000 times a second.
type load struct {
	calls, failed atomic.Int64
	first         atomic.Value // the first failure, a string
	stop          chan struct{}
	workers       sync.WaitGroup
}

// startLoad begins to call; at the test's end no call may have failed.
func startLoad(t testing.TB, conn *grpc.ClientConn, path string, in []byte, ok func(out []byte) bool) *load {
	t.Helper()
	const workers, every = 8, 4 * time.Millisecond
	l := &load{stop: make(chan struct{})}
	for range workers {
		l.workers.Go(func() {
			pace := time.NewTicker(every)
			defer pace.Stop()
			for {
				select {
				case <-l.stop:
					return
				case <-pace.C:
				}
				out, err := invoke(t.Context(), conn, path, in)
				l.calls.Add(1)
				if err != nil || !ok(out) {
					l.failed.Add(1)
					l.first.CompareAndSwap(nil, fmt.Sprintf("%x, %v", out, err))
				}
			}
		})
	}
	return l
}

// end stops the calls and checks them.
func (l *load) end(t testing.TB) {
	t.Helper()
	close(l.stop)
	l.workers.Wait()
	if n := l.failed.Load(); n > 0 {
		t.Errorf("%d of %d calls failed, the first with %v", n, l.calls.Load(), l.first.Load())
	}
	t.Logf("%d calls", l.calls.Load())
}

// during waits until a number of further calls have been made.
func (l *load) during(t testing.TB, calls int64) {
	t.Helper()
	until := l.calls.Load() + calls
	eventually(t, "more calls", func() bool { return l.calls.Load() >= until })
}

// protosFolder is a copy of protos/ to change.
func protosFolder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.CopyFS(dir, os.DirFS("../protos")))
	return dir
}

// TestReloadUnderLoad changes files in every way while a client calls and
// others hold streams.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	dir := protosFolder(t)
	compute := filepath.Join(dir, "compute", "compute.proto")
	good := read(t, compute)
	must(t, os.Remove(compute))
	p := serve(t, "--examples", "--task-interval", "20ms", dir)
	conn := dial(t, p.addr())
	hello := startLoad(t, conn, sayHello, text(1, "you"), func(out []byte) bool { return textOf(out, 1) == "hello you" })
	streams := holdStreams(t, conn)
	step := func(what string, change func()) {
		change()
		hello.during(t, 100)
		for _, s := range streams {
			if err := chat(s, what); err != nil {
				t.Fatalf("%s: a stream that was held: %v", what, err)
			}
		}
	}

	step("before", func() { awaitCompute(t, conn, codes.Unimplemented) })
	step("dropped", func() {
		write(t, compute, good)
		awaitCompute(t, conn, codes.OK)
		contains(t, comment(t, conn, "compute.Compute"), "Compute counts")
	})
	step("edited", func() {
		replace(t, compute, strings.Replace(good, "// Compute counts.", "// Compute computes.", 1))
		eventually(t, "reflection to tell the new comment", func() bool {
			return strings.Contains(comment(t, conn, "compute.Compute"), "Compute computes")
		})
	})
	step("broken", func() {
		write(t, compute, good+"\nmessage Half {\n  string")
		p.awaitLog("error: ", compute+":21:", "stale, served from their last good version: compute.Compute")
		awaitCompute(t, conn, codes.OK)
	})
	step("mended", func() {
		write(t, compute, good)
		p.awaitLog("mended: compute.Compute")
	})
	step("renamed", func() {
		must(t, os.Rename(compute, filepath.Join(dir, "renamed.proto")))
		p.awaitLog("changed: compute.Compute")
		awaitCompute(t, conn, codes.OK)
	})
	step("deleted", func() {
		must(t, os.Remove(filepath.Join(dir, "renamed.proto")))
		awaitCompute(t, conn, codes.Unimplemented)
	})
	step("deleted what is streaming", func() {
		must(t, os.RemoveAll(filepath.Join(dir, "contact")))
		eventually(t, "new calls to be refused", func() bool {
			_, err := open(t.Context(), t, conn, sendStatus).done().all()
			return status.Code(err) == codes.Unimplemented
		})
	})
	hello.end(t)
	for _, s := range streams {
		if _, err := s.done().all(); err != nil {
			t.Errorf("a stream that was held: %v", err)
		}
	}
}

// holdStreams opens streams that are to last.
func holdStreams(t testing.TB, conn *grpc.ClientConn) []*rawStream {
	t.Helper()
	var streams []*rawStream
	for range 10 {
		s := open(t.Context(), t, conn, sendStatus)
		must(t, chat(s, "begin"))
		streams = append(streams, s)
	}
	tasks := open(t.Context(), t, conn, getTask).send(nil).done()
	t.Cleanup(func() {
		for i := range 50 {
			if got, want := textOf(tasks.mustRecv(), 1), fmt.Sprintf("task %d", i+1); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
	return streams
}

// comment is what reflection says about a service. A client of its own asks, as
// clients remember what they were told.
func comment(t testing.TB, conn *grpc.ClientConn, service string) string {
	t.Helper()
	client := grpcreflect.NewClientAuto(timeout(t), conn)
	defer client.Reset()
	desc, err := client.ResolveService(service)
	if err != nil {
		t.Errorf("reflection: %v", err)
		return ""
	}
	return desc.GetSourceInfo().GetLeadingComments()
}

func awaitCompute(t testing.TB, conn *grpc.ClientConn, want codes.Code) {
	t.Helper()
	eventually(t, "compute.Compute to answer "+want.String(), func() bool {
		out, err := invoke(t.Context(), conn, countLetters, text(1, "four"))
		return status.Code(err) == want && (err != nil || textOf(out, 1) == "4")
	})
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return string(b)
}
