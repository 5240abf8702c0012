package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"

	"github.com/dyngate/dyngate/dynclient"
)

// watch prints what `dyngate call -v` shows, and without -v nothing. It also notes
// whether the server began to answer, and how many requests were sent.
type watch struct {
	w       io.Writer // nil without -v
	mu      sync.Mutex
	started time.Time
	path    string // of the method: messages of reflection are not shown

	headed atomic.Bool  // the server sent a header, as it does before it answers
	sent   atomic.Int64 // requests
}

func newWatch(verbose bool) *watch {
	w := &watch{started: time.Now()}
	if verbose {
		w.w = os.Stderr
	}
	return w
}

// printf prints one line, with the time since the command began.
func (w *watch) printf(format string, args ...any) {
	if w.w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	line := fmt.Sprintf("%8.1fms  %s", float64(time.Since(w.started).Microseconds())/1000, fmt.Sprintf(format, args...))
	fmt.Fprintln(w.w, indented(line))
}

func (w *watch) lookUp(ctx context.Context, client *dynclient.Client, name string) (*dynclient.Method, error) {
	ctx, cancel := context.WithTimeout(ctx, schemaTime)
	defer cancel()
	m, err := client.Schema().MatchMethod(ctx, name)
	if err == nil {
		w.printf("schema from %s", m.Origin)
	}
	return m, err
}

// request prints the method that is called, and the metadata.
func (w *watch) request(ctx context.Context, m *dynclient.Method) {
	md, _ := metadata.FromOutgoingContext(ctx)
	w.path = "/" + m.Path()
	w.printf("%s", signature(m))
	w.metadata("> ", md)
}

func (w *watch) header(stream *dynclient.Stream) {
	if w.w == nil {
		return
	}
	if md, err := stream.Header(); err == nil {
		w.metadata("< ", md)
	}
}

func (w *watch) trailer(stream *dynclient.Stream) {
	if w.w != nil {
		w.metadata("< trailer ", stream.Trailer())
	}
}

// secrets are parts of the names of metadata whose values must not be on screens
// and in logs. It is better to hide too much than too little.
var secrets = []string{"auth", "token", "key", "secret", "password", "session", "cookie", "credential"}

func isSecret(name string) bool {
	return slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(strings.ToLower(name), s) })
}

func (w *watch) metadata(prefix string, md metadata.MD) {
	for _, name := range slices.Sorted(maps.Keys(md)) {
		for _, value := range md[name] {
			switch {
			case isSecret(name):
				value = fmt.Sprintf("(%d bytes, not shown)", len(value))
			case strings.HasSuffix(name, "-bin"):
				value = base64.StdEncoding.EncodeToString([]byte(value))
			}
			w.printf("%s%s: %s", prefix, name, value)
		}
	}
}

type watchedKey struct{}

// TagRPC implements stats.Handler.
func (w *watch) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, watchedKey{}, info.FullMethodName == w.path)
}

// HandleRPC implements stats.Handler.
func (w *watch) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if watched, _ := ctx.Value(watchedKey{}).(bool); !watched {
		return
	}
	switch s := s.(type) {
	case *stats.InHeader:
		w.headed.Store(true)
	case *stats.OutPayload:
		w.sent.Add(1)
		w.printf("> message of %s", size(s.Length, s.CompressedLength))
	case *stats.InPayload:
		w.printf("< message of %s", size(s.Length, s.CompressedLength))
	case *stats.End:
		w.printf("ended after %.1fms", float64(s.EndTime.Sub(s.BeginTime).Microseconds())/1000)
	}
}

func size(length, compressed int) string {
	if compressed != length {
		return fmt.Sprintf("%d bytes (%d compressed)", length, compressed)
	}
	return fmt.Sprintf("%d bytes", length)
}

// TagConn implements stats.Handler.
func (w *watch) TagConn(ctx context.Context, info *stats.ConnTagInfo) context.Context {
	w.printf("connected to %s", info.RemoteAddr)
	return ctx
}

// HandleConn implements stats.Handler.
func (*watch) HandleConn(context.Context, stats.ConnStats) {}
