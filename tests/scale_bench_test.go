package tests

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/handlers"
)

// BenchmarkEditToLive measures the time from the write of a file, in a folder
// of ten, until a new method in it answers a call.
func BenchmarkEditToLive(b *testing.B) {
	files := make(map[string]string)
	for i := range 10 {
		files[fmt.Sprintf("s%d.proto", i)] = serviceProto(fmt.Sprintf("S%d", i))
	}
	dir := folder(b, files)
	reg := handlers.NewRegistry()
	answerAll(reg)
	s := startLocal(b, dynserver.Config{Sources: []dynserver.Source{dynserver.Path(dir)}, Handlers: reg, Watch: true})
	editToLive(b, s.conn, filepath.Join(dir, "s5.proto"), "/p.S5/")
}

// BenchmarkGoogleapisEditToLive does the same beside all of googleapis, in the
// binary.
func BenchmarkGoogleapisEditToLive(b *testing.B) {
	corpus := googleapis(b)
	front := folder(b, map[string]string{leafFile: read(b, filepath.Join(corpus, leafFile))})
	p := serveWithin(b, 4*patience, unraced(b), front, corpus)
	editToLive(b, dial(b, p.addr()), filepath.Join(front, leafFile), leafService)
}

// editToLive adds a method to the first service of a file, another each time,
// and calls it until it is known.
func editToLive(b *testing.B, conn *grpc.ClientConn, path, service string) {
	b.Helper()
	content := read(b, path)
	edit := func(method string) { replace(b, path, withMethod(b, content, method)) }
	n := 0
	eventually(b, "the watch, which begins after Serve does", func() bool {
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
			if time.Since(start) > patience {
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
	_, err := invoke(b.Context(), conn, path, nil)
	return !strings.HasPrefix(status.Convert(err).Message(), "unknown ")
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// BenchmarkGoogleapisColdStart measures the time from the start of the binary,
// with all of googleapis, until it answers a call, and what memory that takes.
func BenchmarkGoogleapisColdStart(b *testing.B) {
	corpus, binary := googleapis(b), unraced(b)
	var peak int64
	for b.Loop() {
		p := launch(b, binary, "serve", "--grpc", "127.0.0.1:0", corpus)
		p.awaitAddrs(4 * patience)
		conn := dial(b, p.addr())
		if _, err := invoke(b.Context(), conn, leafService+"GetShelf", nil, grpc.WaitForReady(true)); !strings.Contains(errText(err), "no handler answers it") {
			b.Fatal(err)
		}
		b.StopTimer()
		must(b, conn.Close())
		p.stop()
		peak = max(peak, p.peakBytes())
		b.StartTimer()
	}
	b.ReportMetric(milliseconds(b.Elapsed())/float64(b.N), "ms/start")
	b.ReportMetric(float64(peak>>20), "peak-MiB")
}
