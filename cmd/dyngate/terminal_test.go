package main

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		width      int
		text, want string
	}{
		{0, strings.Repeat("word ", 100), strings.Repeat("word ", 100)},
		{20, "short", "short"},
		{20, "added: a.b.C, d.e.F, g.h.I, j.k.L", "added: a.b.C, d.e.F,\n  g.h.I, j.k.L"},
		{20, "  added: a.b.C, d.e.F, g.h.I\nnext", "  added: a.b.C,\n    d.e.F, g.h.I\nnext"},
		{10, "averyveryverylongword and more", "averyveryverylongword\n  and more"},
		{10, "averyveryverylongword", "averyveryverylongword"},
		{10, "äöü äöü äöü", "äöü äöü\n  äöü"},
		{10, "a very very\nlong line\n", "a very\n  very\nlong line\n"},
	} {
		if got := (ink{width: c.width}).wrap(c.text); got != c.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("a bb  ccc\n   dddd eeeeeeeeeeeeee\n", 10)
	f.Fuzz(func(t *testing.T, text string, width int) {
		if !utf8.ValidString(text) || width < 5 || len(text) > 1000 {
			return
		}
		got := ink{width: width}.wrap(text)
		if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(text), " ") {
			t.Fatalf("wrap(%q, %d) = %q", text, width, got)
		}
	})
}

func TestDiagnosticsArePainted(t *testing.T) {
	const text = "error: cannot find `strin`\n  --> a.proto:13:12\n   |\n13 |   required strin name = 1; // ^^ --\n   |            ^^^^^ not found\n   |\n   = help: a = b\n\n1 error, 0 warnings"
	const want = "\x1b[1;31merror:\x1b[0m\x1b[1m cannot find `strin`\x1b[0m\n  \x1b[2m-->\x1b[0m \x1b[36ma.proto:13:12\x1b[0m\n" +
		"\x1b[2m   |\x1b[0m\n\x1b[2m13 |\x1b[0m   required strin name = 1; // ^^ --\n\x1b[2m   |\x1b[0m            \x1b[1;31m^^^^^\x1b[0m not found\n\x1b[2m   |\x1b[0m\n" +
		"\x1b[2m   =\x1b[0m help: a = b\n\n1 error, 0 warnings"
	if got := (ink{color: true}).diagnostics(text); got != want {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
	if got := (ink{}).diagnostics(text + "\x1b[2J"); got != text+"\uFFFD[2J" {
		t.Errorf("plain: %q", got)
	}
}
