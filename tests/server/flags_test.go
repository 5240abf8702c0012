package server

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/dyngate/dyngate/tests/internal/rig"
)

// TestFlags checks that the flags of `dyngate serve` which no other test needs
// reach the server.
func TestFlags(t *testing.T) {
	t.Parallel()
	const channelz = "/grpc.channelz.v1.Channelz/GetServers"
	features := rig.Folder(t, map[string]string{"f.json": `[{"location": {"latitude": 1, "longitude": 2}, "name": "here"}]`})
	point := slices.Concat(rig.Number(1, 1), rig.Number(2, 2))
	for name, test := range map[string]struct {
		args []string
		path string
		in   []byte
		want codes.Code
		text string // field 1 of the answer
	}{
		"nothing":           {nil, "/RouteGuide/GetFeature", point, codes.OK, ""},
		"features":          {[]string{"--features", filepath.Join(features, "f.json")}, "/RouteGuide/GetFeature", point, codes.OK, "here"},
		"no channelz":       {nil, channelz, nil, codes.Unimplemented, ""},
		"channelz":          {[]string{"--channelz"}, channelz, nil, codes.OK, ""},
		"receive limit":     {[]string{"--max-recv-bytes", "10"}, rig.SayHello, rig.Text(1, "a long name"), codes.ResourceExhausted, ""},
		"send limit":        {[]string{"--max-send-bytes", "10"}, rig.SayHello, rig.Text(1, "a long name"), codes.ResourceExhausted, ""},
		"no stream workers": {[]string{"--stream-workers", "-1"}, rig.SayHello, rig.Text(1, "you"), codes.OK, "hello you"},
		"polling":           {[]string{"--poll", "10ms"}, rig.SayHello, rig.Text(1, "you"), codes.OK, "hello you"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := rig.Serve(t, test.args...)
			out, err := rig.Invoke(rig.Context(t), rig.Dial(t, p.Addr()), test.path, test.in)
			rig.WantCode(t, err, test.want)
			if got := rig.TextOf(out, 1); test.text != "" && got != test.text {
				t.Errorf("got %q, want %q", got, test.text)
			}
		})
	}
	t.Run("drop comments", func(t *testing.T) {
		t.Parallel()
		p := rig.Serve(t, "--drop-comments")
		if got := rig.Comment(t, rig.Dial(t, p.Addr()), "Cal"); got != "" {
			t.Errorf("reflection has the comment %q", got)
		}
	})
	t.Run("loopback port", func(t *testing.T) {
		t.Parallel()
		if p := rig.Serve(t, "--grpc", "0"); !strings.HasPrefix(p.Addr(), "127.0.0.1:") {
			t.Errorf("listens on %s", p.Addr())
		}
	})
}

// TestBadFlags gives flags invalid values. None is replaced by its default, and all
// are reported at once.
func TestBadFlags(t *testing.T) {
	t.Parallel()
	bad := [][2]string{
		{"--task-interval", "-1s"},
		{"--task-interval", "0"},
		{"--grpc", ""},
		{"--max-recv-bytes", "-1"},
		{"--max-send-bytes", "-1"},
		{"--access-log", "7"},
		{"--access-log", "-0.5"},
		{"--access-log", "NaN"},
		{"--poll", "-1s"},
		{"--drain", "-1s"},
		{"--default-deadline", "-1s"},
		{"--connection-timeout", "-1s"},
		{"--ping-after-idle", "-1s"},
		{"--max-connection-age", "-1s"},
		{"--log-level", "loud"},
		{"--log-format", "xml"},
		{"--max-concurrent-streams", "-1"},
	}
	for _, flag := range bad {
		t.Run(strings.Join(flag[:], "="), func(t *testing.T) {
			t.Parallel()
			rig.WantText(t, refuse(t, 2, flag[0], flag[1]), flag[0])
		})
	}
	t.Run("all at once", func(t *testing.T) {
		t.Parallel()
		var args, names []string
		for _, flag := range bad[:len(bad)-3] { // parsing ends at the others
			args, names = append(args, flag[0], flag[1]), append(names, flag[0])
		}
		rig.WantText(t, refuse(t, 2, args...), names...)
	})
}

// TestHelp checks that the help names what it should.
func TestHelp(t *testing.T) {
	t.Parallel()
	r := rig.Run(t, "serve", "--help")
	r.Want(t, 0, r.Stdout)
	rig.WantText(t, r.Stdout, "dyngate serve", "PATH", "SIGHUP", "--grpc", "--drain", "--strict-reload")
}
