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

// TestReloadUnderLoad changes a file in every way while clients call the service
// that it declares, call another, and hold streams of a third.
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
		chatAll(t, streams, what)
	}

	step("before", func() { awaitCompute(t, conn, codes.Unimplemented) })
	step("dropped", func() {
		write(t, compute, good)
		awaitCompute(t, conn, codes.OK)
		contains(t, comment(t, conn, "compute.Compute"), "Compute counts")
	})
	// While it exists, no call of it fails either.
	letters := startLoad(t, conn, countLetters, text(1, "four"), func(out []byte) bool { return textOf(out, 1) == "4" })
	for _, change := range changesOf(t, p, conn, compute, good) {
		step(change.what, func() {
			change.make()
			letters.during(t, 100)
		})
	}
	letters.end(t)
	step("deleted", func() {
		must(t, os.Remove(filepath.Join(dir, "0", "first.proto")))
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

type change struct {
	what string
	make func()
}

// changesOf are changes to compute.proto that leave its service there, each with
// a sign that it was noticed. A file is moved to where a walk through the folder
// has not been yet and to where it has been already, good and broken.
func changesOf(t testing.TB, p *process, conn *grpc.ClientConn, compute, good string) []change {
	at, dir := compute, filepath.Dir(filepath.Dir(compute))
	move := func(to string) {
		to = filepath.Join(dir, to)
		must(t, os.MkdirAll(filepath.Dir(to), 0o755))
		must(t, os.Rename(at, to))
		at = to
	}
	half := good + "\nmessage Half {\n  string"
	return []change{
		{"edited", func() {
			replace(t, at, strings.Replace(good, "// Compute counts.", "// Compute computes.", 1))
			eventually(t, "reflection to tell the new comment", func() bool {
				return strings.Contains(comment(t, conn, "compute.Compute"), "Compute computes")
			})
		}},
		{"broken", func() {
			write(t, at, half)
			p.awaitLog("error: ", at+":21:", "stale, served from their last good version: compute.Compute")
		}},
		{"moved while broken, backward", func() { move("0/broken.proto"); p.awaitLog(at + ":21:") }},
		{"moved while broken, forward", func() { move("z/broken.proto"); p.awaitLog(at + ":21:") }},
		{"cut off", func() { write(t, at, good[:len(good)/2]) }},
		{"recovered", func() { write(t, at, good); p.awaitLog("recovered: compute.Compute") }},
		{"renamed", func() { move("renamed.proto"); p.awaitLog("changed: compute.Compute") }},
		{"moved about", func() {
			for _, to := range []string{"0/a.proto", "z/b.proto", "c.proto", "compute/d.proto", "0/first.proto"} {
				move(to)
			}
			write(t, at, half)
			p.awaitLog(at + ":21:")
			write(t, at, good)
			awaitFile(t, conn, "0/first.proto")
		}},
	}
}

// awaitFile waits until reflection has a file by this name.
func awaitFile(t testing.TB, conn *grpc.ClientConn, name string) {
	t.Helper()
	eventually(t, name, func() bool {
		client := grpcreflect.NewClientAuto(timeout(t), conn)
		defer client.Reset()
		_, err := client.FileByFilename(name)
		return err == nil
	})
}

func chatAll(t testing.TB, streams []*rawStream, msg string) {
	t.Helper()
	for _, s := range streams {
		if err := chat(s, msg); err != nil {
			t.Fatalf("%s: a stream that was held: %v", msg, err)
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
