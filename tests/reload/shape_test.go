package reload

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dyngate/dyngate/dynserver"
	"github.com/dyngate/dyngate/tests/internal/lab"
	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestReloadShape changes a method so that its handler does not fit any more. The
// service stays at its old version, and a stream in progress goes on.
func TestReloadShape(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"lab.proto": lab.Proto})
	config := rig.Config(t, lab.Proto, lab.Register)
	config.Sources = []dynserver.Source{dynserver.Path(dir)}
	s := rig.Local(t, config)
	stream := rig.Open(rig.Context(t), t, s.Conn, lab.Chat)
	for _, change := range []struct{ old, new, message string }{
		{"rpc Chat(stream Msg) returns (stream Msg);", "rpc Chat(Msg) returns (Msg);", "the method is unary, but its handler is bidirectional-streaming: use handlers.Unary"},
		{"string text = 1;", "int64 text = 1;", "text"},
		{"string text = 1;", "", "Text"},
	} {
		rig.Write(t, filepath.Join(dir, "lab.proto"), strings.Replace(lab.Proto, change.old, change.new, 1))
		report, err := s.Reload(t.Context())
		rig.Must(t, err)
		if !slices.Equal(report.Stale, []string{"lab.Lab"}) || len(report.Diagnostics) == 0 {
			t.Fatalf("report: %+v", report)
		}
		rig.WantText(t, fmt.Sprint(report.Diagnostics), change.message, "lab.proto:")
		if got := rig.TextOf(stream.Send(rig.Text(1, "on")).MustRecv(), 1); got != "on" {
			t.Errorf("the stream answers %q", got)
		}
		lab.Alive(t, s)
	}
	rig.Write(t, filepath.Join(dir, "lab.proto"), strings.Replace(lab.Proto, "service Lab", "service Lab2", 1))
	report, err := s.Reload(t.Context())
	rig.Must(t, err)
	if !slices.Equal(report.Removed, []string{"lab.Lab"}) || !slices.Equal(report.Added, []string{"lab.Lab2"}) {
		t.Errorf("report: %+v", report)
	}
	_, err = rig.Invoke(rig.Context(t), s.Conn, lab.Echo, nil)
	rig.WantCode(t, err, codes.Unimplemented)
	if got := rig.TextOf(stream.Send(rig.Text(1, "on")).MustRecv(), 1); got != "on" {
		t.Errorf("the stream answers %q", got)
	}
	if _, err := stream.Done().All(); err != nil {
		t.Error(err)
	}
}

// TestReloadMessage changes a message: the next call uses the new one, with structs
// and with dynamic messages.
func TestReloadMessage(t *testing.T) {
	t.Parallel()
	dir := rig.Folder(t, map[string]string{"lab.proto": lab.Proto})
	config := rig.Config(t, lab.Proto, lab.Register)
	config.Sources = []dynserver.Source{dynserver.Path(dir)}
	s := rig.Local(t, config)
	for n := 1; n < 20; n++ {
		number := fmt.Sprintf("string text = %d;", n+100)
		rig.Write(t, filepath.Join(dir, "lab.proto"), strings.Replace(lab.Proto, "string text = 1;", number, 1))
		report, err := s.Reload(t.Context())
		rig.Must(t, err)
		if !report.Applied || !slices.Equal(report.Changed, []string{"lab.Lab"}) {
			t.Fatalf("report: %+v", report)
		}
		for _, path := range []string{lab.Echo, lab.EchoDynamic} {
			out, err := rig.Invoke(rig.Context(t), s.Conn, path, rig.Text(protowire.Number(n+100), "x"))
			if err != nil || rig.TextOf(out, protowire.Number(n+100)) != "x" {
				t.Fatalf("%s: %x, %v", path, out, err)
			}
		}
	}
	report, err := s.Reload(t.Context())
	rig.Must(t, err)
	if report.Applied || report.Changed != nil {
		t.Errorf("nothing has changed, but: %+v", report)
	}
}
