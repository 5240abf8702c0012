package reload

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jhump/protoreflect/grpcreflect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

const countLetters = "/compute.Compute/SayHello"

// protosFolder returns a copy of protos/.
func protosFolder(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	rig.Must(t, os.CopyFS(dir, os.DirFS(filepath.Join(rig.Root(t), "protos"))))
	return dir
}

// TestReloadUnderLoad changes a file in every way while clients call the service
// that it declares, call another service, and hold streams of a third.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	dir := protosFolder(t)
	compute := filepath.Join(dir, "compute", "compute.proto")
	good := rig.Read(t, compute)
	rig.Must(t, os.Remove(compute))
	p := rig.Serve(t, "--examples", "--task-interval", "20ms", dir)
	conn := rig.Dial(t, p.Addr())
	hello := rig.StartLoad(t, conn, rig.SayHello, rig.Text(1, "you"), func(out []byte) bool { return rig.TextOf(out, 1) == "hello you" })
	streams := holdStreams(t, conn)
	step := func(what string, change func()) {
		change()
		hello.During(t, 100)
		chatAll(t, streams, what)
	}

	step("before", func() { awaitCompute(t, conn, codes.Unimplemented) })
	step("dropped", func() {
		rig.Write(t, compute, good)
		awaitCompute(t, conn, codes.OK)
		rig.WantText(t, rig.Comment(t, conn, "compute.Compute"), "Compute counts")
	})
	// No call fails while the service exists.
	letters := rig.StartLoad(t, conn, countLetters, rig.Text(1, "four"), func(out []byte) bool { return rig.TextOf(out, 1) == "4" })
	for _, change := range changesOf(t, p, conn, compute, good) {
		step(change.what, func() {
			change.make()
			letters.During(t, 100)
		})
	}
	letters.End(t)
	step("deleted", func() {
		rig.Must(t, os.Remove(filepath.Join(dir, "0", "first.proto")))
		awaitCompute(t, conn, codes.Unimplemented)
	})
	step("deleted what is streaming", func() {
		rig.Must(t, os.RemoveAll(filepath.Join(dir, "contact")))
		rig.Eventually(t, "new calls to be refused", func() bool {
			_, err := rig.Open(t.Context(), t, conn, rig.SendStatus).Done().All()
			return status.Code(err) == codes.Unimplemented
		})
	})
	hello.End(t)
	for _, s := range streams {
		if _, err := s.Done().All(); err != nil {
			t.Errorf("a stream that was held: %v", err)
		}
	}
}

type change struct {
	what string
	make func()
}

// changesOf returns changes to compute.proto that keep its service. Each waits until
// the server has noticed it. The file, good and broken, is moved to places that a
// walk through the folder visits before and after its old one.
func changesOf(t testing.TB, p *rig.Process, conn *grpc.ClientConn, compute, good string) []change {
	at, dir := compute, filepath.Dir(filepath.Dir(compute))
	move := func(to string) {
		to = filepath.Join(dir, to)
		rig.Must(t, os.MkdirAll(filepath.Dir(to), 0o755))
		rig.Must(t, os.Rename(at, to))
		at = to
	}
	half := good + "\nmessage Half {\n  string"
	return []change{
		{"edited", func() {
			rig.Replace(t, at, strings.Replace(good, "// Compute counts.", "// Compute computes.", 1))
			rig.Eventually(t, "reflection to tell the new comment", func() bool {
				return strings.Contains(rig.Comment(t, conn, "compute.Compute"), "Compute computes")
			})
		}},
		{"broken", func() {
			rig.Write(t, at, half)
			p.AwaitStderr("error: ", at+":21:", "stale, served from their last good version: compute.Compute")
		}},
		{"moved while broken, backward", func() { move("0/broken.proto"); p.AwaitStderr(at + ":21:") }},
		{"moved while broken, forward", func() { move("z/broken.proto"); p.AwaitStderr(at + ":21:") }},
		{"cut off", func() { rig.Write(t, at, good[:len(good)/2]) }},
		{"recovered", func() { rig.Write(t, at, good); p.AwaitStderr("recovered: compute.Compute") }},
		{"renamed", func() { move("renamed.proto"); p.AwaitStderr("changed: compute.Compute") }},
		{"moved about", func() {
			for _, to := range []string{"0/a.proto", "z/b.proto", "c.proto", "compute/d.proto", "0/first.proto"} {
				move(to)
			}
			rig.Write(t, at, half)
			p.AwaitStderr(at + ":21:")
			rig.Write(t, at, good)
			awaitFile(t, conn, "0/first.proto")
		}},
	}
}

// awaitFile waits until reflection has a file by this name.
func awaitFile(t testing.TB, conn *grpc.ClientConn, name string) {
	t.Helper()
	rig.Eventually(t, name, func() bool {
		client := grpcreflect.NewClientAuto(rig.Context(t), conn)
		defer client.Reset()
		_, err := client.FileByFilename(name)
		return err == nil
	})
}

func chatAll(t testing.TB, streams []*rig.Stream, msg string) {
	t.Helper()
	for _, s := range streams {
		if err := rig.Chat(s, msg); err != nil {
			t.Fatalf("%s: a stream that was held: %v", msg, err)
		}
	}
}

// holdStreams opens streams that last until the test ends.
func holdStreams(t testing.TB, conn *grpc.ClientConn) []*rig.Stream {
	t.Helper()
	var streams []*rig.Stream
	for range 10 {
		s := rig.Open(t.Context(), t, conn, rig.SendStatus)
		rig.Must(t, rig.Chat(s, "begin"))
		streams = append(streams, s)
	}
	tasks := rig.Open(t.Context(), t, conn, rig.GetTask).Send(nil).Done()
	t.Cleanup(func() {
		for i := range 50 {
			if got, want := rig.TextOf(tasks.MustRecv(), 1), fmt.Sprintf("task %d", i+1); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
	return streams
}

func awaitCompute(t testing.TB, conn *grpc.ClientConn, want codes.Code) {
	t.Helper()
	rig.Eventually(t, "compute.Compute to answer "+want.String(), func() bool {
		out, err := rig.Invoke(t.Context(), conn, countLetters, rig.Text(1, "four"))
		return status.Code(err) == want && (err != nil || rig.TextOf(out, 1) == "4")
	})
}
