package main

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	system := " " + runtime.GOOS + "/" + runtime.GOARCH
	for _, test := range []struct {
		info debug.BuildInfo
		want string
	}{
		{debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Version: "v1.2.3"}}, "dyngate v1.2.3, go1.26" + system},
		{debug.BuildInfo{
			GoVersion: "go1.26", Main: debug.Module{Version: "(devel)"},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: "true"}},
			Deps:     []*debug.Module{{Path: "github.com/bufbuild/protocompile", Version: "v0.14.1"}},
		}, "dyngate devel, revision 0123456789ab with changes, go1.26" + system + ", protocompile v0.14.1"},
	} {
		if got := describeBuild(&test.info); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	if got := version(); !strings.HasPrefix(got, "dyngate ") {
		t.Errorf("this is %q", got)
	}
}
