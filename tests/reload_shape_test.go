package tests

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dyngate/dyngate/dynserver"
)

// TestReloadShape changes a method under a handler and a stream that is in
// progress: the stream goes on, the handler that no longer fits stays with what
// it fits.
func TestReloadShape(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"lab.proto": labProto})
	config := protoConfig(t, labProto, registerLab)
	config.Sources = []dynserver.Source{dynserver.Path(dir)}
	s := startLocal(t, config)
	stream := open(timeout(t), t, s.conn, labChat)
	for _, change := range []struct{ old, new, message string }{
		{"rpc Chat(stream Msg) returns (stream Msg);", "rpc Chat(Msg) returns (Msg);", "the method is unary, but its handler is bidirectional-streaming: use handlers.Unary"},
		{"string text = 1;", "int64 text = 1;", "text"},
		{"string text = 1;", "", "Text"},
	} {
		write(t, filepath.Join(dir, "lab.proto"), strings.Replace(labProto, change.old, change.new, 1))
		report, err := s.Reload(t.Context())
		must(t, err)
		if !slices.Equal(report.Stale, []string{"lab.Lab"}) || len(report.Diagnostics) == 0 {
			t.Fatalf("report: %+v", report)
		}
		contains(t, fmt.Sprint(report.Diagnostics), change.message, "lab.proto:")
		if got := textOf(stream.send(text(1, "on")).mustRecv(), 1); got != "on" {
			t.Errorf("the stream answers %q", got)
		}
		s.alive(t)
	}
	write(t, filepath.Join(dir, "lab.proto"), strings.Replace(labProto, "service Lab", "service Lab2", 1))
	report, err := s.Reload(t.Context())
	must(t, err)
	if !slices.Equal(report.Removed, []string{"lab.Lab"}) || !slices.Equal(report.Added, []string{"lab.Lab2"}) {
		t.Errorf("report: %+v", report)
	}
	_, err = invoke(timeout(t), s.conn, labEcho, nil)
	wantCode(t, err, codes.Unimplemented)
	if got := textOf(stream.send(text(1, "on")).mustRecv(), 1); got != "on" {
		t.Errorf("the stream answers %q", got)
	}
	if _, err := stream.done().all(); err != nil {
		t.Error(err)
	}
}

// TestReloadMessage changes a message: the next call has it, from plain structs
// and dynamic messages.
func TestReloadMessage(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"lab.proto": labProto})
	config := protoConfig(t, labProto, registerLab)
	config.Sources = []dynserver.Source{dynserver.Path(dir)}
	s := startLocal(t, config)
	for n := 1; n < 20; n++ {
		number := fmt.Sprintf("string text = %d;", n+100)
		write(t, filepath.Join(dir, "lab.proto"), strings.Replace(labProto, "string text = 1;", number, 1))
		report, err := s.Reload(t.Context())
		must(t, err)
		if !report.Applied || !slices.Equal(report.Changed, []string{"lab.Lab"}) {
			t.Fatalf("report: %+v", report)
		}
		for _, path := range []string{labEcho, labEchoDynamic} {
			out, err := invoke(timeout(t), s.conn, path, text(protowire.Number(n+100), "x"))
			if err != nil || textOf(out, protowire.Number(n+100)) != "x" {
				t.Fatalf("%s: %x, %v", path, out, err)
			}
		}
	}
	report, err := s.Reload(t.Context())
	must(t, err)
	if report.Applied || report.Changed != nil {
		t.Errorf("nothing has changed, but: %+v", report)
	}
}
