package scale

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// BenchmarkEditToLive measures the time from the write of a file, in a folder
// of ten, until a new method in it answers a call.
func BenchmarkEditToLive(b *testing.B) {
	files := make(map[string]string)
	for i := range 10 {
		files[fmt.Sprintf("s%d.proto", i)] = rig.ServiceProto(fmt.Sprintf("S%d", i))
	}
	dir := rig.Folder(b, files)
	reg := handlers.NewRegistry()
	rig.AnswerAll(reg)
	s := rig.Local(b, dynserver.Config{Sources: []dynserver.Source{dynserver.Path(dir)}, Handlers: reg, Watch: true})
	editToLive(b, s.Conn, filepath.Join(dir, "s5.proto"), "/p.S5/")
}

// BenchmarkGoogleapisEditToLive does the same beside all of googleapis, in the
// binary.
func BenchmarkGoogleapisEditToLive(b *testing.B) {
	corpus := googleapis(b)
	front := rig.Folder(b, map[string]string{leafFile: rig.Read(b, filepath.Join(corpus, leafFile))})
	p := rig.ServeUnraced(b, 4*rig.Patience, "--lenient", front, corpus)
	editToLive(b, rig.Dial(b, p.Addr()), filepath.Join(front, leafFile), leafService)
}

// editToLive adds a method to the first service of a file, with another name each
// time, and calls it until it is known.
func editToLive(b *testing.B, conn *grpc.ClientConn, path, service string) {
	b.Helper()
	content := rig.Read(b, path)
	edit := func(method string) { rig.Replace(b, path, withMethod(b, content, method)) }
	n := 0
	rig.Eventually(b, "the watch, which begins after Serve does", func() bool {
		n++
		edit(fmt.Sprintf("Watched%d", n))
		deadline := time.Now().Add(time.Second)
		for time.Now().Before(deadline) {
			if known(b, conn, service+fmt.Sprintf("Watched%d", n)) {
				return true
			}
		}
		return false
	})
	var slowest time.Duration
	for b.Loop() {
		n++
		method := fmt.Sprintf("Edited%d", n)
		start := time.Now()
		edit(method)
		for !known(b, conn, service+method) {
			if time.Since(start) > rig.Patience {
				b.Fatalf("%s is not live", method)
			}
		}
		slowest = max(slowest, time.Since(start))
	}
	b.ReportMetric(milliseconds(b.Elapsed())/float64(b.N), "ms/edit")
	b.ReportMetric(milliseconds(slowest), "ms-slowest")
}

// known reports whether a method is known, answered or not.
func known(b *testing.B, conn *grpc.ClientConn, path string) bool {
	b.Helper()
	_, err := rig.Invoke(b.Context(), conn, path, nil)
	return !strings.HasPrefix(status.Convert(err).Message(), "unknown ")
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// BenchmarkGoogleapisColdStart measures the time from the start of the binary,
// with all of googleapis, until it answers a call, and what memory that takes.
func BenchmarkGoogleapisColdStart(b *testing.B) {
	corpus, binary := googleapis(b), rig.UnracedBinary(b)
	var peak int64
	for b.Loop() {
		p := rig.StartCommand(b, exec.Command(binary, "serve", "--lenient", "--grpc", "127.0.0.1:0", corpus))
		p.AwaitAddrs(4 * rig.Patience)
		conn := rig.Dial(b, p.Addr())
		if _, err := rig.Invoke(b.Context(), conn, leafService+"GetShelf", nil, grpc.WaitForReady(true)); !strings.Contains(fmt.Sprint(err), "no handler answers it") {
			b.Fatal(err)
		}
		b.StopTimer()
		rig.Must(b, conn.Close())
		peak = max(peak, p.Memory("VmHWM"))
		p.Stop()
		b.StartTimer()
	}
	b.ReportMetric(milliseconds(b.Elapsed())/float64(b.N), "ms/start")
	b.ReportMetric(float64(peak>>20), "peak-MiB")
}
