//go:build unix

package schema_test

import (
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/dyngate/dyngate/internal/schema"
)

// FuzzBudget repeats random text, between other text, up to 128 KB. It finds texts that take too
// much time or memory when repeated, which single texts are too short to show.
func FuzzBudget(f *testing.F) {
	for _, unit := range []string{
		"} ) ] ", "\\q", "a.", "- ", "message M {", "string f = 1;\n", "import \"good.proto\";\n", "1e9 ", "9", "a b c;", "reserved a, ",
		"[", "<", "option (a).b = 1;", "oneof o { int32 a = 1; }", "rpc D(M) returns (M);", "extend M { optional M e = 1; }", "= ", ": ", "\"\" ",
		"a: 1 ", "m { ", "}", "// c\n", "/**/", "map<int32, M> m = 1;", "export message M {}", "reserved 1 to max;", "\u2028", "$", "'\n", ".1", "inf ",
	} {
		f.Add("syntax = \"proto3\"; package x; message X { ", unit, "}")
		f.Add("syntax = \"proto2\"; package x; ", unit, "")
		f.Add("edition = \"2024\"; package x; option (x) = { ", unit, "};")
	}
	fsys := fstest.MapFS{"good.proto": {Data: []byte(good)}}
	f.Fuzz(func(t *testing.T, head, unit, tail string) {
		const size = 128 << 10
		if unit == "" || len(head)+len(unit)+len(tail) > 10_000 {
			return
		}
		text := head + strings.Repeat(unit, size/len(unit)) + tail
		files := fstest.MapFS{"good.proto": fsys["good.proto"], "x.proto": {Data: []byte(text)}}
		c := schema.New(schema.Options{Sources: []schema.Source{schema.FS("fuzz", files)}})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := cpuTime()
		s := compile(t, c)
		used := cpuTime() - began
		runtime.ReadMemStats(&after)
		if used > 3*time.Second && !raceEnabled {
			t.Errorf("%s for %q, %q, %q", used, head, unit, tail)
		}
		if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 500 && !raceEnabled {
			t.Errorf("%d MiB for %q, %q, %q", n, head, unit, tail)
		}
		if s.File("good.proto").Descriptor() == nil {
			t.Errorf("the good file: %v", s.File("good.proto").Errors())
		}
	})
}

// cpuTime returns the CPU time of the process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
